"""A plan: the legs that bring a treasury inside its bands, with everything a person needs to judge them.

A plan is data: made once, shown, judged, then executed unchanged and at most once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from bridges.base import Leg, Quote
from chains.base import Height
from chains.ids import ChainId
from policies.base import Portfolio, Targets


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One leg with the quote it stands on. `after`: indices of earlier legs whose delivery it spends. `why`: for people."""

    leg: Leg
    quote: Quote
    after: tuple[int, ...]
    why: str

    @property
    def is_hop(self) -> bool:
        return self.leg.lane.kind == "bridge"


@dataclass(frozen=True, slots=True)
class Unmet:
    """A demand that the plan leaves open: which band, by how much (numeraire), and what stops it."""

    target: str
    short: Fraction
    why: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Expected cost in the numeraire by component; `slippage` is price impact and pool fees of swaps, `bridge` what bridges keep."""

    network: Fraction
    bridge: Fraction
    slippage: Fraction

    @property
    def total(self) -> Fraction:
        return self.network + self.bridge + self.slippage


@dataclass(frozen=True, slots=True)
class Plan:
    """`id`: hash of the content below. `config`: hash of the configuration it was made under. `expires`: unix seconds.

    `continues`: the saga some of whose legs did not happen, if this plan takes up from where their value rests.
    `heights` pin what was seen; `before` holds balances and prices; `hops_bound` is proven: no plan with this violation has fewer hops.
    """

    id: str
    treasury: str
    config: str
    created: int
    expires: int
    heights: Mapping[ChainId, Height]
    before: Portfolio
    targets: Targets
    legs: tuple[PlannedLeg, ...]
    status: str
    violation: Fraction
    hops_bound: int
    cost: Cost
    unmet: tuple[Unmet, ...]
    continues: str = ""

    @property
    def hops(self) -> int:
        return sum(1 for planned in self.legs if planned.is_hop)
