"""Where a trade goes: to the target, to an inner band along the straight line, or to the edge with as few legs as possible.

Works on exact fractions and on floats alike; weights and targets sum to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

Number = TypeVar("Number", Fraction, float)


def to_ray(weights: Sequence[Number], target: Sequence[Number], part: Number) -> list[Number]:
    """Every name the same `part` of the way left: 0 is the target itself. All names trade."""
    return [b + (w - b) * part for w, b in zip(weights, target, strict=True)]


def by_pairs(weights: Sequence[Number], target: Sequence[Number], inner: Number) -> list[Number]:
    """Two legs at a time, until no name is further than `inner` from its target.

    The name furthest off is brought to `inner` against the name that is furthest off on the other side; at most n pairs. Of equal
    distances the first name counts, so the outcome is always the same.
    """
    new = list(weights)
    slack = inner - inner if isinstance(inner, Fraction) else 1e-12
    for _ in range(len(new)):
        apart = [w - b for w, b in zip(new, target, strict=True)]
        i = max(range(len(new)), key=lambda n: abs(apart[n]))
        if abs(apart[i]) <= inner + slack:
            break
        over = apart[i] > 0
        j = min(range(len(new)), key=lambda n: apart[n]) if over else max(range(len(new)), key=lambda n: apart[n])
        size = abs(apart[i]) - inner
        new[i], new[j] = (new[i] - size, new[j] + size) if over else (new[i] + size, new[j] - size)
    return new
