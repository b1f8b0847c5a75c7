"""Risk models: where a policy's yearly covariance comes from, the owner's own numbers or the prices of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import log
from typing import Protocol

import numpy as np

from chains.tokens import AssetId
from policies.base import Portfolio
from policies.risk.covariance import BadEstimate, Floats, checked
from policies.risk.tracking import YEAR


class RiskModel(Protocol):
    """A yearly covariance of some assets as of a portfolio's moment. `memory`: seconds of past it looks at."""

    @property
    def memory(self) -> int: ...

    def covariance(self, portfolio: Portfolio, assets: Sequence[AssetId]) -> Floats: ...


@dataclass(frozen=True, slots=True)
class StatedRisk:
    """Yearly volatilities as the owner states them, and one correlation of any two assets. Assets that are not named have none."""

    volatility: Mapping[AssetId, Fraction]
    correlation: Fraction = Fraction(0)

    @property
    def memory(self) -> int:
        return 0

    def covariance(self, portfolio: Portfolio, assets: Sequence[AssetId]) -> Floats:
        each = np.array([float(self.volatility.get(asset, 0)) for asset in assets])
        matrix = float(self.correlation) * np.outer(each, each)
        np.fill_diagonal(matrix, each**2)
        return checked(matrix)


@dataclass(frozen=True, slots=True)
class ObservedRisk:
    """From the past's prices: log returns weighted by age (halved every `halflife` seconds), over the time that passed between turns.

    Dividing by time makes a return across a gap a long return, not a wild one. Pairs of turns that lack a price of an asset are left
    out. Needs `least` usable returns; raises BadEstimate before that, and says how many there are. `memory`: seconds.
    """

    halflife: int
    memory: int
    least: int = 30

    def covariance(self, portfolio: Portfolio, assets: Sequence[AssetId]) -> Floats:
        rows, ages, lengths = self._returns(portfolio, assets)
        if len(rows) < self.least:
            raise BadEstimate(f"{len(rows)} returns of {', '.join(assets)} are remembered; {self.least} are needed for a covariance")
        weights = 0.5 ** (np.asarray(ages) / self.halflife)
        returns = np.asarray(rows)
        weighted = (returns * weights[:, None]).T @ returns
        return np.asarray(weighted / float(weights @ np.asarray(lengths)) * YEAR)

    def _returns(self, portfolio: Portfolio, assets: Sequence[AssetId]) -> tuple[list[list[float]], list[int], list[int]]:
        rows, ages, lengths = [], [], []
        seen = [(past.time, past.prices) for past in portfolio.past if past.time >= portfolio.time - self.memory]
        now = {asset: price.value for asset, price in portfolio.prices.by_asset.items()}
        usable = [(time, prices) for time, prices in [*seen, (portfolio.time, now)] if all(asset in prices for asset in assets)]
        for (before, old), (after, new) in pairwise(usable):
            rows.append([log(float(new[asset]) / float(old[asset])) for asset in assets])
            ages.append(portfolio.time - after)
            lengths.append(after - before)
        return rows, ages, lengths
