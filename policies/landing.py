"""Landing: the trade that brings asset weights inside their bands with few legs, exactly, without chains or bridges.

What a backtest executes and a cost gate reckons with; live, the planner finds the route over chains to the same bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from chains.tokens import AssetId
from policies.base import Band, Targets

_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Landing:
    """Weights `before`, `after` and `ideal` by asset (targets' order, then what else is held). `legs`: assets whose weight changes."""

    before: Mapping[AssetId, Fraction]
    after: Mapping[AssetId, Fraction]
    ideal: Mapping[AssetId, Fraction]

    @property
    def legs(self) -> int:
        return sum(1 for asset, weight in self.after.items() if weight != self.before[asset])

    @property
    def turnover(self) -> Fraction:
        """Buys plus sells, share of NAV."""
        return sum((abs(weight - self.before[asset]) for asset, weight in self.after.items()), _ZERO)


def landed(weights: Mapping[AssetId, Fraction], targets: Targets) -> Landing:
    """Pairs of legs: the asset furthest outside its band is brought to the band's edge against the one furthest off on the other side.

    Of equal distances the first counts. An asset without a band is left alone. When the bands cannot all be met (they do not sum to
    one), what is left outside stays so.
    """
    assets = [*targets.assets, *(asset for asset in weights if asset not in targets.assets)]
    before = {asset: weights.get(asset, _ZERO) for asset in assets}
    ideal = {asset: _ideal(targets.assets.get(asset), before[asset]) for asset in assets}
    new = dict(before)
    for _ in range(2 * len(assets)):
        outside = {asset: _outside(band, new[asset]) for asset, band in targets.assets.items()}
        name = max(outside, key=lambda asset: abs(outside[asset]), default=None)
        if name is None or not outside[name]:
            break
        size = outside[name]
        others = [asset for asset in targets.assets if asset != name]
        if not others:
            break
        partner = (min if size > 0 else max)(others, key=lambda asset: new[asset] - ideal[asset])
        size = max(size, -new[partner])  # nothing is sold that is not there
        if not size:
            break
        new[name], new[partner] = new[name] - size, new[partner] + size
    return Landing(before, new, ideal)


def _outside(band: Band, weight: Fraction) -> Fraction:
    """Signed distance to the band: above is positive."""
    return band.surplus(weight) - band.deficit(weight)


def _ideal(band: Band | None, weight: Fraction) -> Fraction:
    if band is None:
        return weight
    if band.ideal is not None:
        return band.ideal
    return ((band.low or _ZERO) + (band.high if band.high is not None else _ONE)) / 2
