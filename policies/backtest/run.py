"""The backtest: recorded prices fed to the one decision function, bar by bar, in exact numbers.

Every bar is a turn: a portfolio, its past, `decide`; when it acts, the trade lands inside the bands and costs are charged on the traded
notional of the value before cost. A bar at which something held has no price is a turn that cannot act, as it is live.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from chains.ids import ChainId, TokenId
from chains.tokens import AssetId, Token
from policies.base import Observation, Policy, Portfolio, Position, Price, Prices, Targets, Trigger
from policies.decide import decide, memory_of, recalled, remembered
from policies.landing import Landing, landed
from policies.panel import BadPrices, Floats, Panel

DECIMALS = 24
_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a backtest starts with and pays. `value`: USD at the first bar. `start`: weights there (default: the ideals of the policy).

    `proportional`: of the traded notional. `per_leg`: USD for every asset traded. `entry`: charge the purchase of the first portfolio.
    `delay`: seconds from decision to arrival; the amounts are fixed when decided, prices are those of arrival, and nothing else is
    decided in between.
    """

    value: Fraction = Fraction(1_000_000)
    proportional: Fraction = _ZERO
    per_leg: Fraction = _ZERO
    entry: bool = False
    delay: int = 0
    start: Mapping[AssetId, Fraction] | None = None

    def __post_init__(self) -> None:
        if self.value <= 0 or self.proportional < 0 or self.per_leg < 0 or self.delay < 0:
            raise BadPrices("a backtest starts with a value above zero; costs and delay are not below zero")
        if self.start is not None and sum(self.start.values()) != 1:
            raise BadPrices(f"start weights sum to {float(sum(self.start.values())):.9g}, not to one")


@dataclass(frozen=True, slots=True)
class Trade:
    """One rebalance: decided at `bar`; weights before and after, costs in USD."""

    bar: int
    time: int
    reason: str
    before: Mapping[AssetId, float]
    after: Mapping[AssetId, float]
    turnover: float
    legs: int
    proportional: float
    fixed: float


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """`values`: NAV in USD after each bar (NaN where it cannot be known). `tracking`: return of held minus ideal weights, bar to bar;
    None when it is to be reckoned from the trades and `ideal`, see `fast.tracking_of`.

    `blind`: bars at which something had no price. `closest`: how near (share of NAV) any bar came to its threshold; None when not
    measured. `told`: notes of the policy, each once.
    """

    panel: Panel
    terms: Terms
    values: Floats
    tracking: Floats | None
    trades: Sequence[Trade]
    blind: tuple[int, ...] = ()
    closest: float | None = None
    told: tuple[str, ...] = ()
    ideal: Floats | None = None


def run(panel: Panel, policy: Policy, trigger: Trigger, terms: Terms) -> Run:
    """The exact backtest. Raises BadPrices when the first bar lacks a price that the start needs."""
    book = _Book(panel, policy, trigger, terms)
    for bar in range(len(panel.times)):
        book.turn(bar)
    return Run(
        panel, terms, book.values, np.asarray(book.tracking), tuple(book.trades), tuple(book.blind), None, tuple(dict.fromkeys(book.told))
    )


def token_of(index: int, asset: AssetId) -> Token:
    """A stand-in token of a backtested asset: one chain, so that nothing but weights matters."""
    return Token(TokenId(ChainId("eip155", "0"), "slip44", str(index)), asset, DECIMALS)


@dataclass
class _Book:
    """What the backtest holds from bar to bar."""

    panel: Panel
    policy: Policy
    trigger: Trigger
    terms: Terms
    trades: list[Trade] = field(default_factory=list)
    blind: list[int] = field(default_factory=list)
    tracking: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    past: tuple[Observation, ...] = ()
    last_run: int | None = None
    arriving: dict[AssetId, int] = field(default_factory=dict)
    arrives: int = 0
    asked: dict[AssetId, Fraction] = field(default_factory=dict)
    apart: dict[AssetId, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tokens = {asset: token_of(i, asset) for i, asset in enumerate(self.panel.assets)}
        self.memory = memory_of(self.policy, self.trigger)
        self.values = np.full(len(self.panel.times), np.nan)
        prices = self.panel.exact(0)
        if len(prices) < len(self.panel.assets):
            missing = sorted(set(self.panel.assets) - set(prices))
            raise BadPrices(f"{missing[0]} has no price at the first bar; start where all have one, or leave it out")
        equal = {asset: Fraction(1, len(prices)) for asset in prices}
        weights = self.terms.start if self.terms.start is not None else self._ideals(prices, equal)
        value = self.terms.value * (1 - self.terms.proportional if self.terms.entry else 1)
        self.units = self._units({asset: weights.get(asset, _ZERO) * value for asset in self.panel.assets}, prices)

    def _ideals(self, prices: Mapping[AssetId, Fraction], equal: Mapping[AssetId, Fraction]) -> Mapping[AssetId, Fraction]:
        units = self._units({asset: weight * self.terms.value for asset, weight in equal.items()}, prices)
        targets = self.policy.targets(self._portfolio(0, prices, units))
        ideal = landed(equal, targets).ideal
        whole = sum(ideal.values(), _ZERO)
        return {asset: weight / whole for asset, weight in ideal.items()}

    def _units(self, worth: Mapping[AssetId, Fraction], prices: Mapping[AssetId, Fraction]) -> dict[AssetId, int]:
        return {asset: int(value / prices[asset] * 10**DECIMALS) for asset, value in worth.items()}

    def _portfolio(self, bar: int, prices: Mapping[AssetId, Fraction], units: Mapping[AssetId, int]) -> Portfolio:
        time = self.panel.times[bar]
        priced = {asset: Price(asset, value, time, ("recorded",)) for asset, value in prices.items()}
        refused = {asset: "no price recorded" for asset in self.panel.assets if asset not in prices}
        positions = tuple(Position(self.tokens[asset], held, 0, self.arriving.get(asset, 0)) for asset, held in units.items())
        return Portfolio(positions, Prices(priced, refused), time, self.past)

    def turn(self, bar: int) -> None:
        prices = self.panel.exact(bar)
        self.past = recalled(self.past, self.panel.times[bar], self.memory)
        portfolio = self._portfolio(bar, prices, self.units)
        targets, decision = decide(self.policy, self.trigger, portfolio, self.last_run)
        self.told += targets.told
        if len(prices) < len(self.panel.assets):
            self.blind.append(bar)
        else:
            self._track(bar)
            self.values[bar] = float(portfolio.nav)
            if self.arriving and portfolio.time >= self.arrives:
                self._arrive(bar, prices)
            elif not self.arriving and decision.act:
                self._trade(bar, portfolio, targets, decision.reason)
            self._measure(bar, prices, targets)
        self.past = remembered(self.past, portfolio, targets)

    def _track(self, bar: int) -> None:
        """Return of the last bar's weights minus ideals; the first bar has none."""
        if self.apart:
            moved = self.panel.prices[bar] / self.panel.prices[self.measured] - 1
            self.tracking.append(float(sum(self.apart[asset] * moved[i] for i, asset in enumerate(self.panel.assets))))

    def _measure(self, bar: int, prices: Mapping[AssetId, Fraction], targets: Targets) -> None:
        worth = {asset: float(held + self.arriving.get(asset, 0)) * float(prices[asset]) for asset, held in self.units.items()}
        whole = sum(worth.values())
        ideals = landed({}, targets).ideal
        self.apart = {asset: worth[asset] / whole - float(ideals.get(asset, worth[asset] / whole)) for asset in worth}
        self.measured = bar

    def _trade(self, bar: int, portfolio: Portfolio, targets: Targets, reason: str) -> None:
        landing = landed(portfolio.asset_weights(), targets)
        self.last_run = portfolio.time
        if not landing.legs:
            return
        nav = portfolio.nav
        proportional, fixed = self.terms.proportional * landing.turnover * nav, self.terms.per_leg * landing.legs
        left = nav - proportional - fixed
        if left <= 0:
            raise BadPrices(f"costs of {float(proportional + fixed):.2f} at bar {bar} exceed the whole value of {float(nav):.2f}")
        self.trades.append(_trade(bar, portfolio.time, reason, landing, (proportional, fixed)))
        prices = {asset: price.value for asset, price in portfolio.prices.by_asset.items()}
        wanted = self._units({asset: landing.after[asset] * left for asset in self.units}, prices)
        if self.terms.delay:
            self.arrives, self.asked = portfolio.time + self.terms.delay, prices
            self.arriving = {asset: wanted[asset] - held for asset, held in self.units.items() if wanted[asset] > held}
            self.units = {asset: min(held, wanted[asset]) for asset, held in self.units.items()}
        else:
            self.units = wanted
        self.values[bar] = float(left)

    def _arrive(self, bar: int, prices: Mapping[AssetId, Fraction]) -> None:
        """What was sold is worth what it fetched when it was decided; purchases are made with it at the prices of now."""
        for asset, bought in self.arriving.items():
            self.units[asset] += int(bought * self.asked[asset] / prices[asset])
        self.arriving = {}
        self.values[bar] = float(self._portfolio(bar, prices, self.units).nav)


def _trade(bar: int, time: int, reason: str, landing: Landing, costs: tuple[Fraction, Fraction]) -> Trade:
    before = {asset: float(weight) for asset, weight in landing.before.items()}
    after = {asset: float(weight) for asset, weight in landing.after.items()}
    return Trade(bar, time, reason, before, after, float(landing.turnover), landing.legs, float(costs[0]), float(costs[1]))
