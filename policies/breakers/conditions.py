"""When a breaker has reason: pure conditions on a portfolio and its past, each with a calmer level at which it may end.

`trips` says for which assets there is reason now, in words; `calm` whether an asset has come back far enough (hysteresis: the calm
level lies inside the tripping level, so a price at the edge does not flicker).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np

from chains.tokens import AssetId
from policies.base import Portfolio
from policies.risk.tracking import realised_volatility

ALL = "*"
"""Stands for the whole portfolio where an asset would be named."""


class Condition(Protocol):
    @property
    def memory(self) -> int:
        """Seconds of past that it needs."""
        ...

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]: ...

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool: ...


def window(portfolio: Portfolio, asset: AssetId, seconds: int) -> Iterator[tuple[int, Fraction]]:
    """(time, price) of the last `seconds` (that far back not included), oldest first, the present last. Suspect prices are not in it."""
    for seen in portfolio.past:
        if seen.time > portfolio.time - seconds and asset in seen.prices:
            yield seen.time, seen.prices[asset]
    now = portfolio.prices.by_asset.get(asset)
    if now is not None:
        yield portfolio.time, now.value


@dataclass(frozen=True, slots=True)
class PriceMove:
    """The price is more than `by` below the highest (`down`) or above the lowest of the last `memory` seconds; calm within `calm_at`."""

    by: Fraction
    memory: int
    calm_at: Fraction
    down: bool = True

    def _off(self, portfolio: Portfolio, asset: AssetId) -> Fraction:
        prices = [price for _, price in window(portfolio, asset, self.memory)]
        if not prices:
            return Fraction(0)
        return 1 - prices[-1] / max(prices) if self.down else prices[-1] / min(prices) - 1

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]:
        off = {asset: self._off(portfolio, asset) for asset in portfolio.prices.by_asset}
        side = "below its high" if self.down else "above its low"
        return {asset: f"{float(x):.1%} {side} of {_span(self.memory)}" for asset, x in off.items() if x > self.by}

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool:
        return self._off(portfolio, asset) <= self.calm_at


@dataclass(frozen=True, slots=True)
class Depeg:
    """An asset of `pegs` is more than `by` away from what it should be worth; calm within `calm_at`."""

    pegs: Mapping[AssetId, Fraction]
    by: Fraction
    calm_at: Fraction
    memory: int = 0

    def _off(self, portfolio: Portfolio, asset: AssetId) -> Fraction | None:
        now = portfolio.prices.by_asset.get(asset)
        return None if now is None else abs(now.value / self.pegs[asset] - 1)

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]:
        off = {asset: self._off(portfolio, asset) for asset in self.pegs}
        return {
            asset: f"{float(x):.1%} off its peg of ${float(self.pegs[asset]):g}"
            for asset, x in off.items()
            if x is not None and x > self.by
        }

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool:
        off = self._off(portfolio, asset)
        return off is not None and off <= self.calm_at


@dataclass(frozen=True, slots=True)
class Turbulence:
    """Realised volatility (yearly) of the last `memory` seconds is above `by`; calm at `calm_at` or less. Needs three prices."""

    by: Fraction
    memory: int
    calm_at: Fraction

    def _volatility(self, portfolio: Portfolio, asset: AssetId) -> float:
        seen = list(window(portfolio, asset, self.memory))
        if len(seen) < 3:
            return 0.0
        return realised_volatility([time for time, _ in seen], np.array([float(price) for _, price in seen]))

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]:
        found = {asset: self._volatility(portfolio, asset) for asset in portfolio.prices.by_asset}
        return {asset: f"volatility of {x:.0%} a year over {_span(self.memory)}" for asset, x in found.items() if x > self.by}

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool:
        return self._volatility(portfolio, asset) <= self.calm_at


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The sources of a price lie more than `by` apart; calm within `calm_at`."""

    by: Fraction
    calm_at: Fraction
    memory: int = 0

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]:
        priced = portfolio.prices.by_asset.items()
        return {asset: f"its price sources are {float(price.spread):.2%} apart" for asset, price in priced if price.spread > self.by}

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool:
        price = portfolio.prices.by_asset.get(asset)
        return price is not None and price.spread <= self.calm_at


@dataclass(frozen=True, slots=True)
class Loss:
    """What is held now is worth more than `by` less than at its best in the last `memory` seconds; calm within `calm_at`.

    Present holdings at past prices: deposits and withdrawals are no gain and no loss. A rolling window, so that no midnight allows
    the same loss twice.
    """

    by: Fraction
    memory: int
    calm_at: Fraction

    def _loss(self, portfolio: Portfolio) -> Fraction:
        units: dict[AssetId, Fraction] = {}
        for position in portfolio.positions:
            units[position.token.asset] = units.get(position.token.asset, Fraction(0)) + position.total * position.token.unit
        held = {asset: amount for asset, amount in units.items() if amount}
        pasts = [seen.prices for seen in portfolio.past if seen.time > portfolio.time - self.memory]
        worths = [sum((amount * p[asset] for asset, amount in held.items()), Fraction(0)) for p in pasts if all(a in p for a in held)]
        best = max(worths, default=Fraction(0))
        return 1 - portfolio.nav / best if best > 0 else Fraction(0)

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]:
        loss = self._loss(portfolio)
        return {ALL: f"what is held lost {float(loss):.1%} within {_span(self.memory)}"} if loss > self.by else {}

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool:
        return self._loss(portfolio) <= self.calm_at


@dataclass(frozen=True, slots=True)
class Jump:
    """A price is more than `by` away from the last believed one, and the turn before did not say the same: a tick not to be believed yet.

    It is kept out of the memory; when the next turn confirms it (within `by`), it is believed.
    """

    by: Fraction
    memory: int = 86_400

    def suspects(self, portfolio: Portfolio) -> dict[AssetId, Fraction]:
        found = {}
        for asset, price in portfolio.prices.by_asset.items():
            believed = next((seen.prices[asset] for seen in reversed(portfolio.past) if asset in seen.prices), None)
            before = portfolio.past[-1].suspect.get(asset) if portfolio.past else None
            confirmed = before is not None and abs(price.value / before - 1) <= self.by
            if believed is not None and abs(price.value / believed - 1) > self.by and not confirmed:
                found[asset] = price.value
        return found

    def trips(self, portfolio: Portfolio) -> Mapping[AssetId, str]:
        told = [f"{asset} jumped to ${float(value):,.6g}" for asset, value in self.suspects(portfolio).items()]
        return {ALL: ", ".join(told)} if told else {}

    def calm(self, portfolio: Portfolio, asset: AssetId) -> bool:
        return not self.suspects(portfolio)


def _span(seconds: int) -> str:
    return f"{seconds // 86_400} d" if seconds % 86_400 == 0 else f"{seconds / 3600:g} h"
