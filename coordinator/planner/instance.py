"""A planning problem as frozen, exact data: tokens, holdings, bands, lanes and limits.

Amounts are integers in base units, values are Fractions of the numeraire. The JSON form is read by `form.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import floor, lcm
from typing import Literal

Kind = Literal["bridge", "swap"]
Group = Literal["assets", "chains", "tokens"]


@dataclass(frozen=True, slots=True)
class Token:
    """An asset on one chain. `price` is numeraire per whole token."""

    id: str
    asset: str
    chain: str
    decimals: int
    price: Fraction

    @property
    def unit(self) -> Fraction:
        """Numeraire value of one base unit."""
        scale: int = 10**self.decimals
        return self.price / scale


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a lane's schedule: up to `up_to` source units (cumulative), value out per value in is `rate`."""

    up_to: int
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Lane:
    """One direction of one rail, offering at most one leg a plan. Rates never rise along the schedule."""

    id: str
    rail: str
    kind: Kind
    source: str
    target: str
    min: int
    max: int
    fixed: Fraction
    schedule: tuple[Segment, ...]
    latency_s: int

    @property
    def most(self) -> int:
        """The largest amount a leg may give, in source base units."""
        return min(self.max, self.schedule[-1].up_to)

    @property
    def least(self) -> int:
        """The smallest amount a useful leg may give, in source base units."""
        return max(self.min, 1)


@dataclass(frozen=True, slots=True)
class Band:
    """A set to land in: the summed final value of `tokens` must lie within low..high (numeraire; None is no limit)."""

    group: Group
    name: str
    tokens: tuple[str, ...]
    low: Fraction | None
    high: Fraction | None

    @property
    def target(self) -> str:
        """How the band is named to people, for example `chains/eip155:1`."""
        return f"{self.group}/{self.name}"

    def short(self, value: Fraction) -> Fraction:
        """Value missing below the band (0 when none is)."""
        return max(self.low - value, Fraction(0)) if self.low is not None else Fraction(0)

    def over(self, value: Fraction) -> Fraction:
        """Value in excess above the band (0 when none is)."""
        return max(value - self.high, Fraction(0)) if self.high is not None else Fraction(0)

    def miss(self, value: Fraction) -> Fraction:
        """Value outside the band: short of `low` plus in excess of `high`."""
        return self.short(value) + self.over(value)


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits on a whole plan; None is no limit. Values in numeraire, `deadline_s` in seconds of makespan."""

    turnover: Fraction | None = None
    cost: Fraction | None = None
    legs: int | None = None
    deadline_s: int | None = None


@dataclass(frozen=True)
class Instance:
    """What is held, what is wanted, and the lanes value can take. `arriving` counts at the end but cannot be given."""

    numeraire: str
    tokens: tuple[Token, ...]
    holdings: Mapping[str, int]
    arriving: Mapping[str, int]
    bands: tuple[Band, ...]
    lanes: tuple[Lane, ...]
    limits: Limits

    @cached_property
    def token(self) -> dict[str, Token]:
        """Tokens by id."""
        return {token.id: token for token in self.tokens}

    @cached_property
    def lane(self) -> dict[str, Lane]:
        """Lanes by id."""
        return {lane.id: lane for lane in self.lanes}

    @cached_property
    def unit(self) -> dict[str, Fraction]:
        """Numeraire value of one base unit, by token id."""
        return {token.id: token.unit for token in self.tokens}

    @cached_property
    def grain(self) -> int:
        """The common denominator of all unit values: a value times `grain` is a sum of units times `grains`."""
        return lcm(*(unit.denominator for unit in self.unit.values()))

    @cached_property
    def grains(self) -> dict[str, int]:
        """Value of one base unit in parts of 1/`grain`, by token id."""
        return {token: unit.numerator * (self.grain // unit.denominator) for token, unit in self.unit.items()}

    @cached_property
    def nav(self) -> Fraction:
        """Value of holdings and arrivals before the plan."""
        return sum((self.start(token.id) * self.unit[token.id] for token in self.tokens), Fraction(0))

    def held(self, token: str) -> int:
        """Base units that can be given now."""
        return self.holdings.get(token, 0)

    def start(self, token: str) -> int:
        """Base units that count at the end if nothing is done: held plus arriving."""
        return self.holdings.get(token, 0) + self.arriving.get(token, 0)

    def takes(self, lane: Lane, gives: int) -> int:
        """Base units delivered for `gives`: the schedule's value, floored once to target units."""
        value, done = Fraction(0), 0
        for segment in lane.schedule:
            part = min(gives, segment.up_to) - done
            if part <= 0:
                break
            value += part * segment.rate
            done += part
        return floor(value * self.unit[lane.source] / self.unit[lane.target])

    def cost(self, lane: Lane, gives: int, takes: int) -> Fraction:
        """Fixed charge plus the value lost on the way, in numeraire."""
        return lane.fixed + gives * self.unit[lane.source] - takes * self.unit[lane.target]

    def opposite(self, one: Lane, other: Lane) -> bool:
        """Whether the two are swap lanes of one rail with source and target exchanged: never both used."""
        return one.kind == other.kind == "swap" and one.rail == other.rail and one.source == other.target and one.target == other.source
