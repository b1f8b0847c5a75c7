"""How an asset is priced: its sources, how they must agree, and what one source said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from chains.ids import ChainId
from chains.tokens import AssetId


@dataclass(frozen=True, slots=True)
class Chainlink:
    """A Chainlink aggregator contract: `feed` is its checksummed address on `chain`. `max_age` in seconds."""

    chain: ChainId
    feed: str
    max_age: int

    def __str__(self) -> str:
        return f"chainlink {self.chain} {self.feed[:6]}…{self.feed[-4:]}"


@dataclass(frozen=True, slots=True)
class Pyth:
    """A Pyth feed over a Hermes API: `feed` is 64 lower-case hex digits. `max_conf`: widest confidence interval, relative to the price."""

    url: str
    feed: str
    max_age: int
    max_conf: Fraction

    def __str__(self) -> str:
        return f"pyth {self.feed[:6]}…{self.feed[-4:]}"


@dataclass(frozen=True, slots=True)
class Manual:
    """A price that a person stated. It holds until the moment `until` (unix seconds) and not a second longer."""

    value: Fraction
    until: int

    def __str__(self) -> str:
        return "manual"


Source = Chainlink | Pyth | Manual


@dataclass(frozen=True, slots=True)
class Peg:
    """What the asset should be worth in the numeraire, and how far off still counts as pegged (relative)."""

    value: Fraction
    tolerance: Fraction


@dataclass(frozen=True, slots=True)
class PriceRule:
    """How an asset gets its price. `need` sources must answer; all that answer must lie within `max_deviation` of each other (relative).

    `max_age`: seconds after which a price may no longer decide anything. `combine`: the median of what was said, or the first in
    the configured order.
    """

    asset: AssetId
    sources: tuple[Source, ...]
    need: int
    combine: Literal["median", "first"]
    max_age: int
    max_deviation: Fraction
    peg: Peg | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One source's answer, numeraire per whole unit. `time`: unix seconds of the observation, as the source says."""

    source: str
    value: Fraction
    time: int


@dataclass(frozen=True, slots=True)
class Silent:
    """One source that gave no usable answer, and why."""

    source: str
    reason: str


Answers = Mapping[Source, Said | Silent]
