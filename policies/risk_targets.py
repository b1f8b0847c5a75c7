"""Targets from risk: equal risk contribution, minimum variance and mean-variance weights, within the owner's floors and caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from chains.tokens import AssetId
from policies.base import Band, Portfolio, Targets
from policies.drift import unpriced
from policies.exact import floats, weights
from policies.region.problem import problem
from policies.region.solve import nearest_feasible, solve
from policies.risk.covariance import BadEstimate, Floats
from policies.risk.model import RiskModel
from policies.risk.parity import risk_budgets

KINDS = ("equal-risk", "minimum-variance", "mean-variance")


@dataclass(frozen=True, slots=True)
class RiskTargets:
    """Ideals by risk, each give or take `width`; low and high of the owner's bands are floors and caps.

    `aversion`, `expected` (yearly return by asset, 0 when not named) and `views` matter for mean-variance only. While risk cannot be
    estimated the owner's own bands hold, and the targets say why.
    """

    bands: Targets
    risk: RiskModel
    kind: str
    width: Fraction
    aversion: Fraction = Fraction(1)
    expected: Mapping[AssetId, Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'"{self.kind}" is no target by risk; allowed: {", ".join(KINDS)}')

    @property
    def memory(self) -> int:
        return self.risk.memory

    def targets(self, portfolio: Portfolio) -> Targets:
        if unpriced(portfolio):
            return self.bands
        assets = list(self.bands.assets)
        try:
            found = self._weights(self.risk.covariance(portfolio, assets), assets)
        except BadEstimate as problem_:
            return replace(self.bands, told=(f"the owner's own targets hold: {problem_}",))
        whole = targeted_share(portfolio, self.bands)
        ideals = dict(zip(assets, weights(found * float(whole), whole), strict=True))
        return replace(self.bands, assets={asset: self._around(self.bands.assets[asset], ideal) for asset, ideal in ideals.items()})

    def _weights(self, covariance: Floats, assets: Sequence[AssetId]) -> Floats:
        bands = [self.bands.assets[asset] for asset in assets]
        low, high = np.array(floats([b.low for b in bands], 0.0)), np.array(floats([b.high for b in bands], 1.0))
        if self.kind == "equal-risk":
            return capped(risk_budgets(covariance), low, high)
        mean = np.array([float(self.expected.get(asset, 0)) for asset in assets]) if self.kind == "mean-variance" else None
        aversion = float(self.aversion) if self.kind == "mean-variance" else 1.0
        return best(covariance, aversion, mean, (low, high))

    def _around(self, band: Band, ideal: Fraction) -> Band:
        low, high = band.low or Fraction(0), band.high if band.high is not None else Fraction(1)
        ideal = min(max(ideal, low), high)
        return Band(max(low, ideal - self.width), ideal, min(high, ideal + self.width))


def targeted_share(portfolio: Portfolio, bands: Targets) -> Fraction:
    """The share of NAV that the targeted assets are to divide: what is held without being targeted stays."""
    return 1 - sum((weight for asset, weight in portfolio.asset_weights().items() if asset not in bands.assets), Fraction(0))


def capped(wanted: Floats, low: Floats, high: Floats) -> Floats:
    """Fixed weights under floors and caps: the nearest ones (least squares) that keep them and sum to one. Raises BadEstimate."""
    if low.sum() > 1 + 1e-9 or high.sum() < 1 - 1e-9 or (low > high).any():
        raise BadEstimate(f"floors sum to {low.sum():.6g}, caps to {high.sum():.6g}: no weights that sum to one lie between")
    return nearest_feasible(wanted, low, high)


def best(covariance: Floats, aversion: float, mean: Floats | None, bounds: tuple[Floats, Floats]) -> Floats:
    """Long-only mean-variance weights: max m'w - g/2 w'Sw; with no mean, those of least variance. Raises BadEstimate."""
    size = len(covariance)
    start = capped(np.full(size, 1.0 / size), *bounds)
    return solve(problem(covariance, aversion, np.zeros(size), start / start.sum(), mean=mean, bounds=bounds)).weights
