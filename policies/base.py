"""The protocols of a policy, and the data that it decides on.

A policy is a pure function: it sees a portfolio (no chain, no bridge, no clock) and says what is wanted.
Weights are shares of NAV as exact fractions; values are in the numeraire (USD).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol, TypeVar

from chains.ids import ChainId, TokenId
from chains.tokens import Amount, AssetId, Token

_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Price:
    """What one whole unit of an asset is worth in the numeraire. `time`: unix seconds of the observation; `sources`: who said so."""

    asset: AssetId
    value: Fraction
    time: int
    sources: tuple[str, ...]
    spread: Fraction = field(default=Fraction(0), compare=False)
    """How far the sources lie apart, relative to the lowest."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The prices of one turn. An asset without a usable price is absent, and `refused` says why."""

    by_asset: Mapping[AssetId, Price]
    refused: Mapping[AssetId, str] = field(default_factory=dict)

    def value(self, amount: Amount) -> Fraction:
        """Numeraire value, exact. Raises KeyError for an asset without a price: unknown is never zero."""
        return amount.whole * self.by_asset[amount.token.asset].value


@dataclass(frozen=True, slots=True)
class Position:
    """One token, in base units: `held` rests on the chain, `leaving` of it is promised to legs, `arriving` is in flight to it."""

    token: Token
    held: int
    leaving: int = 0
    arriving: int = 0

    @property
    def total(self) -> int:
        return self.held - self.leaving + self.arriving


@dataclass(frozen=True, slots=True)
class Observation:
    """What one earlier turn saw and left closed: the memory of policies that look back.

    `closed`: breakers by name, with the unix second at which each last had reason. `suspect`: prices too strange to be believed until
    the next turn confirms them; they are not among `prices`.
    """

    time: int
    prices: Mapping[AssetId, Fraction]
    closed: Mapping[str, int] = field(default_factory=dict)
    suspect: Mapping[AssetId, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What the treasury has at one moment. `time`: unix seconds. `past`: earlier turns, oldest first."""

    positions: tuple[Position, ...]
    prices: Prices
    time: int
    past: tuple[Observation, ...] = ()

    def worth(self, position: Position) -> Fraction:
        return self.prices.value(Amount(position.token, position.total))

    @property
    def nav(self) -> Fraction:
        return sum((self.worth(p) for p in self.positions), Fraction(0))

    def asset_weights(self) -> dict[AssetId, Fraction]:
        """Share of NAV by asset; empty when NAV is zero."""
        shares: dict[AssetId, Fraction] = {}
        for position in self.positions:
            shares[position.token.asset] = shares.get(position.token.asset, Fraction(0)) + self.worth(position)
        return _shares_of(self.nav, shares)

    def chain_weights(self) -> dict[ChainId, Fraction]:
        shares: dict[ChainId, Fraction] = {}
        for position in self.positions:
            shares[position.token.chain] = shares.get(position.token.chain, Fraction(0)) + self.worth(position)
        return _shares_of(self.nav, shares)


def _shares_of(nav: Fraction, values: dict[_K, Fraction]) -> dict[_K, Fraction]:
    return {key: value / nav for key, value in values.items()} if nav else {}


@dataclass(frozen=True, slots=True)
class Band:
    """Where a weight should be: a set to land in, not a point. None means no limit on that side; `ideal` lies inside."""

    low: Fraction | None
    ideal: Fraction | None
    high: Fraction | None

    def __post_init__(self) -> None:
        edges = [edge for edge in (self.low, self.ideal, self.high) if edge is not None]
        if edges != sorted(edges):
            raise ValueError(f"a band must have low <= ideal <= high, not {self.low}, {self.ideal}, {self.high}")

    def surplus(self, weight: Fraction) -> Fraction:
        """How far above the band, zero inside."""
        return max(Fraction(0), weight - self.high) if self.high is not None else Fraction(0)

    def deficit(self, weight: Fraction) -> Fraction:
        """How far below the band, zero inside."""
        return max(Fraction(0), self.low - weight) if self.low is not None else Fraction(0)

    def holds(self, weight: Fraction) -> bool:
        return not self.surplus(weight) and not self.deficit(weight)


@dataclass(frozen=True, slots=True)
class UnitBand:
    """Least and most of one token, in base units (gas floors, runway, caps)."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Targets:
    """What is wanted: bands on weights by asset and by chain, and on base units by token. All hold together.

    `outer`: wider bands within which an asset is left alone, by asset (default: its band in `assets`): a trade starts at the outer
    edge and stops at the inner one. `closed`, `suspect`: what the next turn must remember (see Observation). `told`: why this is not
    what the owner's bands alone would say.
    """

    assets: Mapping[AssetId, Band]
    chains: Mapping[ChainId, Band] = field(default_factory=dict)
    tokens: Mapping[TokenId, UnitBand] = field(default_factory=dict)
    outer: Mapping[AssetId, Band] = field(default_factory=dict)
    closed: Mapping[str, int] = field(default_factory=dict)
    suspect: Mapping[AssetId, Fraction] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    @property
    def starting(self) -> Mapping[AssetId, Band]:
        """The bands that start a trade."""
        return {asset: self.outer.get(asset, band) for asset, band in self.assets.items()}


@dataclass(frozen=True, slots=True)
class Drift:
    """One band that is broken: `subject` is an asset, chain or token id; `surplus`/`deficit` are shares of NAV, one of them zero."""

    subject: str
    weight: Fraction
    band: Band
    surplus: Fraction
    deficit: Fraction


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of acting. `found`, `needed`: in words. `nearest`: the smallest change that would open it, empty when open."""

    name: str
    opens: bool
    found: str
    needed: str
    nearest: str = ""
    proof: str = ""
    """JSON of a problem and the certificate of its answer, where the gate rests on one (`policies.region.verifier` checks it)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one evaluation of the triggers: whether to act, and why or why not, in words and gate by gate."""

    act: bool
    reason: str
    drifts: tuple[Drift, ...] = ()
    gates: tuple[Gate, ...] = ()


class Policy(Protocol):
    """Says what is wanted. Sees no chain, no bridge, no clock."""

    def targets(self, portfolio: Portfolio) -> Targets: ...


class Trigger(Protocol):
    """Says whether it is time to act. `last_run`: unix seconds of the last applied plan, or None."""

    def decide(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Decision: ...
