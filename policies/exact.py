"""From estimates to weights: floats leave risk maths here, as exact fractions that sum to what they should."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from policies.risk.covariance import Floats

GRAIN = 10**9
"""Weights are rounded to a billionth of NAV."""


def fraction(value: float) -> Fraction:
    return Fraction(round(value * GRAIN), GRAIN)


def weights(values: Floats, whole: Fraction = Fraction(1)) -> list[Fraction]:
    """Rounded weights that sum to `whole` exactly: the largest takes the rounding."""
    rounded = [fraction(float(value)) for value in values]
    largest = max(range(len(rounded)), key=lambda i: rounded[i])
    rounded[largest] += whole - sum(rounded, Fraction(0))
    return rounded


def within(value: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    """The nearest value inside the limits."""
    value = value if low is None else max(low, value)
    return value if high is None else min(high, value)


def floats(values: Sequence[Fraction | None], missing: float) -> list[float]:
    return [missing if value is None else float(value) for value in values]
