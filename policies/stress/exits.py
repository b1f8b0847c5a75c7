"""Getting out: what a pool gives for a trade, and how long leaving a position takes within a limit on impact.

Constant-product pools. `depth`: value of one reserve in USD. Exact: works on fractions and on floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TypeVar

from policies.risk.covariance import BadEstimate

Number = TypeVar("Number", Fraction, float)


def pool_out(reserves: tuple[Number, Number], given: Number, fee: Number) -> Number:
    """What a constant-product pool (in, out) gives: R_out e/(R_in + e), e = given (1 - fee)."""
    kept = given * (1 - fee)
    return reserves[1] * kept / (reserves[0] + kept)


@dataclass(frozen=True, slots=True)
class Way:
    """Leaving one position: in `parts` equal trades, `seconds` from first to last; costs in USD, fees left out.

    `at_once`: what leaving in a single trade would cost.
    """

    parts: int
    seconds: int
    cost: Fraction
    at_once: Fraction


def way_out(position: Fraction, depth: Fraction, impact: Fraction, refill: int) -> Way:
    """The fewest equal trades whose impact x/(depth+x) stays within `impact`, one every `refill` seconds (until arbitrage refilled it).

    Raises BadEstimate for a depth or impact that is not above zero.
    """
    if depth <= 0 or not 0 < impact < 1:
        raise BadEstimate("a way out needs a depth above zero and an impact between 0 and 1")
    if position <= 0:
        return Way(0, 0, Fraction(0), Fraction(0))
    most = impact * depth / (1 - impact)
    parts = ceil(position / most)
    each = position / parts
    return Way(parts, (parts - 1) * refill, parts * each * each / (depth + each), position * position / (depth + position))
