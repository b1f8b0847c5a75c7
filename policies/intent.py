"""Intents: the owner states an outcome, and targets and bands follow from it, with what was traded off.

Weights stay as near as possible to the preferred ones. Drawdown is held through volatility: for a value without drift the expected
deepest fall within T years is sqrt(pi/2) s sqrt(T) (Magdon-Ismail, Atiya, Pratap, Abu-Mostafa 2004). Tracking error is held by bands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import pi, sqrt

import numpy as np

from chains.tokens import AssetId
from policies.base import Band, Portfolio, Targets
from policies.drift import at_rest, unpriced
from policies.exact import fraction, weights
from policies.region.bands import averages, optimal, setting
from policies.region.problem import problem
from policies.region.solve import solve
from policies.risk.covariance import BadEstimate, Floats
from policies.risk.model import RiskModel
from policies.risk.tracking import relative_volatility, volatility
from policies.risk_targets import best, targeted_share

FALL = sqrt(pi / 2)
BISECTIONS = 50
SLACK = 1e-7


@dataclass(frozen=True, slots=True)
class Intent:
    """Yearly figures as shares; None asks for nothing. `horizon`: years of the drawdown. `stables`: what counts as stable."""

    volatility: Fraction | None = None
    drawdown: Fraction | None = None
    horizon: Fraction = Fraction(1)
    stable: Fraction | None = None
    stables: frozenset[AssetId] = frozenset()
    tracking: Fraction | None = None

    @property
    def most_volatility(self) -> float | None:
        """The tighter of both limits on volatility."""
        limits = [float(self.volatility)] if self.volatility is not None else []
        limits += [float(self.drawdown) / (FALL * sqrt(float(self.horizon)))] if self.drawdown is not None else []
        return min(limits, default=None)


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """The nearest weights. `possible`: whether they keep the intent; else they are the nearest possible, and `told` says what falls short.

    `volatility`, `drawdown` (expected, of the horizon): of these weights, yearly.
    """

    weights: Floats
    possible: bool
    volatility: float
    drawdown: float
    stable: float
    told: tuple[str, ...]


def derive(intent: Intent, assets: Sequence[AssetId], preferred: Floats, covariance: Floats) -> Derived:
    """Weights nearest to `preferred` (least squares) that keep the intent: at most so much volatility, at least so much in stables."""
    stable = np.array([1.0 if asset in intent.stables else 0.0 for asset in assets])
    share = float(intent.stable or 0)
    told: list[str] = []
    if share > 0 and not stable.any():
        raise BadEstimate("the intent asks for stables, but names no asset of the targets as one")
    cap = intent.most_volatility
    found = _nearest(preferred, covariance, 0.0, (stable, share))
    if cap is not None and volatility(found, covariance) > cap:
        least = _least_volatile(covariance, stable, share)
        if volatility(least, covariance) > cap * (1 + SLACK):
            told.append(f"impossible: volatility cannot be below {volatility(least, covariance):.2%}, the intent allows {cap:.2%}")
            found = least
        else:
            found = _smallest(lambda weight: _nearest(preferred, covariance, weight, (stable, share)), cap, covariance)
    told += _traded_off(assets, preferred, found)
    risk = volatility(found, covariance)
    possible = (cap is None or risk <= cap * (1 + SLACK)) and float(stable @ found) >= share - SLACK
    return Derived(found, possible, risk, FALL * risk * sqrt(float(intent.horizon)), float(stable @ found), tuple(told))


def _nearest(preferred: Floats, covariance: Floats, weight: float, group: tuple[Floats, float]) -> Floats:
    """min 1/2 |w-p|^2 + weight/2 w'Sw with the group's share held by the price of its floor."""
    size = len(preferred)
    matrix: Floats = np.asarray(np.eye(size) + weight * covariance)
    target: Floats = np.asarray(np.linalg.solve(matrix, preferred), dtype=np.float64)

    def at(price: float) -> Floats:
        mean = price * group[0]
        return solve(problem(matrix, 1.0, target, np.full(size, 1.0 / size), mean=mean)).weights

    return _priced(at, group)


def _least_volatile(covariance: Floats, stable: Floats, share: float) -> Floats:
    size = len(covariance)
    scale = float(np.trace(covariance)) / size or 1.0

    def at(price: float) -> Floats:
        return best(covariance / scale, 1.0, price * stable, (np.zeros(size), np.ones(size)))

    return _priced(at, (stable, share))


def _priced(at: Callable[[float], Floats], group: tuple[Floats, float]) -> Floats:
    """The smallest price of the group at which its share is met: the share rises with the price."""
    member, share = group
    found = at(0.0)
    if float(member @ found) >= share - SLACK / 10:
        return found
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        if float(member @ at(high)) >= share - SLACK / 10:
            break
        high *= 4
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if float(member @ at(middle)) >= share - SLACK / 10 else (middle, high)
    return at(high)


def _smallest(at: Callable[[float], Floats], cap: float, covariance: Floats) -> Floats:
    """The smallest weight of variance at which volatility is within the cap: volatility falls with it."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        if volatility(at(high), covariance) <= cap:
            break
        low, high = high, high * 4
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if volatility(at(middle), covariance) <= cap else (middle, high)
    return at(high)


def _traded_off(assets: Sequence[AssetId], preferred: Floats, found: Floats) -> list[str]:
    moved = [(asset, float(now - was)) for asset, was, now in zip(assets, preferred, found, strict=True) if abs(now - was) > 5e-5]
    if not moved:
        return []
    return ["traded off against the preferred weights: " + ", ".join(f"{asset} {points:+.2%}" for asset, points in moved)]


def tracking_bands(ideals: Floats, covariance: Floats, costs: tuple[float, float], tracking: float) -> list[tuple[float, float]]:
    """(delta, Delta) of every asset so that together they keep the tracking error (yearly): each by its band law, one aversion for all.

    Deviations are added as if they were independent; because they sum to zero this overstates the tracking error (by sqrt 2 with two
    assets), so the bands err on the narrow side. An asset with
    ideal 0 may keep a rest that adds a quarter of the tracking error (gas lies somewhere); one with ideal 1 gets no band.
    """
    names = [i for i, ideal in enumerate(ideals) if 0 < ideal < 1]
    unwanted = {i: relative_volatility(i, ideals, covariance) for i, ideal in enumerate(ideals) if ideal <= 0}
    rests = {i: (min(1.0, tracking / 4 / apart),) * 2 for i, apart in unwanted.items() if apart > 0}

    def at(aversion: float) -> tuple[list[tuple[float, float]], float]:
        bands: list[tuple[float, float]] = [rests.get(i, (0.0, 0.0)) for i in range(len(ideals))]
        total = len(rests) * (tracking / 4) ** 2
        for i in names:
            law = setting(i, ideals, covariance, aversion, costs)
            found = optimal(law)
            bands[i] = (found.inner, found.outer)
            total += averages(law, *bands[i]).mean_square * law.running / aversion if found.outer > 0 else 0.0
        return bands, sqrt(total)

    low, high = 1e-9, 1e12
    for _ in range(4 * BISECTIONS):
        middle = sqrt(low * high)
        low, high = (middle, high) if at(middle)[1] > tracking else (low, middle)
    return at(high)[0]


@dataclass(frozen=True, slots=True)
class IntentPolicy:
    """Targets and bands from an intent. The ideals of `bands` are the preferred weights; `costs`: k, and USD a leg.

    An impossible intent gives the nearest possible weights and says so in the targets. While risk cannot be estimated the owner's own
    bands hold.
    """

    bands: Targets
    intent: Intent
    risk: RiskModel
    proportional: Fraction
    per_leg: Fraction

    @property
    def memory(self) -> int:
        return self.risk.memory

    def targets(self, portfolio: Portfolio) -> Targets:
        return at_rest(self.widths(portfolio), portfolio) if not unpriced(portfolio) else self.bands

    def widths(self, portfolio: Portfolio) -> Targets:
        """Where a trade starts (`outer`) and lands (`assets`), whether or not there is one to make."""
        if unpriced(portfolio) or portfolio.nav <= 0:
            return self.bands
        assets = list(self.bands.assets)
        preferred = np.array([float(self.bands.assets[asset].ideal or 0) for asset in assets])
        try:
            covariance = self.risk.covariance(portfolio, assets)
            found = derive(self.intent, assets, preferred / preferred.sum(), covariance)
            widths = self._widths(found.weights, covariance, portfolio.nav)
        except BadEstimate as problem_:
            return replace(self.bands, told=(f"the owner's own bands hold: {problem_}",))
        whole = targeted_share(portfolio, self.bands)
        ideals = weights(found.weights * float(whole), whole)
        rows = list(zip(assets, ideals, widths, strict=True))
        inner = {asset: _band(ideal, fraction(width[0])) for asset, ideal, width in rows}
        outer = {asset: _band(ideal, fraction(width[1])) for asset, ideal, width in rows}
        return replace(self.bands, assets=inner, outer=outer, told=found.told)

    def _widths(self, ideals: Floats, covariance: Floats, nav: Fraction) -> list[tuple[float, float]]:
        costs = float(self.proportional), float(self.per_leg / nav)
        if self.intent.tracking is not None and max(costs) > 0:
            return [
                (max(inner, 1e-4), max(outer, 1e-4))
                for inner, outer in tracking_bands(ideals, covariance, costs, float(self.intent.tracking))
            ]
        own = [self.bands.assets[asset] for asset in self.bands.assets]
        return [(float(_half(band)), float(_half(band))) for band in own]


def _half(band: Band) -> Fraction:
    """Half the width of the owner's band."""
    low, high = band.low or Fraction(0), band.high if band.high is not None else Fraction(1)
    return (high - low) / 2


def _band(ideal: Fraction, width: Fraction) -> Band:
    return Band(max(Fraction(0), ideal - width), ideal, min(Fraction(1), ideal + width))
