"""Cost-gated bands: how wide a band is, and how far back to trade, follows from what trading costs now and what drifting risks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from chains.tokens import AssetId
from policies.base import Band, Portfolio, Targets
from policies.drift import at_rest, unpriced
from policies.exact import fraction, within
from policies.region.bands import Band as Widths
from policies.region.bands import Setting, optimal, setting, with_depth
from policies.risk.covariance import BadEstimate
from policies.risk.model import RiskModel
from policies.risk.tracking import relative_volatility

LANDINGS = ("inner", "edge", "target")
LEAST = Fraction(1, 10_000)
"""Half-width of the narrowest band to land in: a point cannot be hit with whole base units and moving prices."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs. `proportional`: per unit traded. `per_leg`: USD (gas, bridge fee), by asset where it differs.

    `depth`: USD value of one side of the pool an asset is traded against; without it impact is left out.
    """

    proportional: Fraction
    per_leg: Fraction = Fraction(0)
    by_asset: Mapping[AssetId, Fraction] = field(default_factory=dict)
    depth: Mapping[AssetId, Fraction] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CostBands:
    """Around the ideals of `bands`: a trade starts at Delta and lands at delta (`inner`), at Delta (`edge`) or at the ideal (`target`).

    The owner's own bands stay the widest allowed. Where the law cannot be reckoned (no estimate of risk yet, no volatility, no price),
    the owner's bands hold, and the targets say why.
    """

    bands: Targets
    risk: RiskModel
    aversion: Fraction
    costs: Costs
    landing: str = "inner"

    def __post_init__(self) -> None:
        if self.landing not in LANDINGS:
            raise ValueError(f'"{self.landing}" is no way to land; allowed: {", ".join(LANDINGS)}')

    @property
    def memory(self) -> int:
        return self.risk.memory

    def targets(self, portfolio: Portfolio) -> Targets:
        return at_rest(self.widths(portfolio), portfolio) if not unpriced(portfolio) else self.bands

    def widths(self, portfolio: Portfolio) -> Targets:
        """Where a trade starts (`outer`) and lands (`assets`), whether or not there is one to make."""
        if unpriced(portfolio) or portfolio.nav <= 0:
            return self.bands
        assets = [asset for asset, band in self.bands.assets.items() if band.ideal is not None]
        try:
            covariance = self.risk.covariance(portfolio, assets)
        except BadEstimate as problem:
            return replace(self.bands, told=(f"the owner's own bands hold: {problem}",))
        ideals = np.array([float(self.bands.assets[asset].ideal or 0) for asset in assets])
        inner, outer = dict(self.bands.assets), dict(self.bands.outer)
        for i, asset in enumerate(assets):
            if 0 < ideals[i] < 1 and relative_volatility(i, ideals, covariance) > 0:
                found = self._law(
                    asset, setting(i, ideals, covariance, float(self.aversion), self._costs(asset, portfolio.nav)), portfolio.nav
                )
                if found.outer > 0:
                    inner[asset], outer[asset] = self._around(self.bands.assets[asset], found.inner, found.outer)
        return replace(self.bands, assets=inner, outer=outer)

    def _law(self, asset: AssetId, law: Setting, nav: Fraction) -> Widths:
        depth = self.costs.depth.get(asset)
        return optimal(law) if depth is None else with_depth(law, float(depth / nav))

    def _costs(self, asset: AssetId, nav: Fraction) -> tuple[float, float]:
        return float(self.costs.proportional), float(self.costs.by_asset.get(asset, self.costs.per_leg) / nav)

    def _around(self, band: Band, inner: float, outer: float) -> tuple[Band, Band]:
        start = max(fraction(outer), LEAST)
        stop = {"inner": fraction(inner), "edge": start, "target": Fraction(0)}[self.landing]
        stop = min(max(stop, LEAST), start)
        return _limited(band, stop), _limited(band, start)


def _limited(band: Band, width: Fraction) -> Band:
    """The ideal give or take `width`, no wider than the owner's band."""
    ideal = band.ideal or Fraction(0)
    low, high = max(Fraction(0), ideal - width), min(Fraction(1), ideal + width)
    return Band(within(low, band.low, None), band.ideal, within(high, None, band.high))
