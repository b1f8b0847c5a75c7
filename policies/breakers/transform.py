"""What a closed breaker does to what is wanted: targets in, targets out. A breaker is never an exception path.

For weight w and ideal b of an asset that must not be bought, the ideal becomes min(w, b); what it gives up goes to the others in
proportion to their ideals (or to named refuges only). Bands move with their ideal and keep their width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from chains.tokens import AssetId
from policies.base import Band, Portfolio, Targets

ACTIONS = ("no-buy", "no-sell", "reduce-only", "freeze")
_ZERO, _ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Held:
    """Assets by what must not be done to them. `refuges`: reduce-only gives to these alone."""

    no_buy: frozenset[AssetId] = frozenset()
    no_sell: frozenset[AssetId] = frozenset()
    refuges: frozenset[AssetId] = frozenset()


def transformed(targets: Targets, portfolio: Portfolio, held: Held) -> Targets:
    """Targets under which nothing in `no_buy` is bought and nothing in `no_sell` is sold."""
    bound = (held.no_buy | held.no_sell) & set(targets.assets)
    if not bound:
        return targets
    weights = portfolio.asset_weights()
    ideals = {asset: _ideal(band) for asset, band in targets.assets.items()}
    kept = {asset: _kept(asset, weights.get(asset, _ZERO), ideals[asset], held) for asset in bound}
    new = {**ideals, **kept, **_rest(ideals, kept, held.refuges)}
    moved = {asset: _moved(band, new[asset] - ideals[asset]) for asset, band in targets.assets.items()}
    outer = {asset: _moved(band, new[asset] - ideals[asset]) for asset, band in targets.outer.items()}
    shut = {asset: _shut(asset, moved[asset], weights.get(asset, _ZERO), held) for asset in bound}
    shut_outer = {asset: _shut(asset, outer[asset], weights.get(asset, _ZERO), held) for asset in bound if asset in outer}
    return replace(targets, assets={**moved, **shut}, outer={**outer, **shut_outer})


def frozen(targets: Targets, portfolio: Portfolio) -> Targets:
    """Every band made to hold the weight that is there: nothing is due, neither swap nor hop. Limits in units stay."""
    by_asset, by_chain = portfolio.asset_weights(), portfolio.chain_weights()
    assets = {asset: _around(band, by_asset.get(asset, _ZERO)) for asset, band in targets.assets.items()}
    chains = {chain: replace(_around(band, by_chain.get(chain, _ZERO)), ideal=None) for chain, band in targets.chains.items()}
    return replace(targets, assets=assets, chains=chains, outer={})


def _ideal(band: Band) -> Fraction:
    if band.ideal is not None:
        return band.ideal
    low, high = band.low or _ZERO, band.high if band.high is not None else _ONE
    return (low + high) / 2


def _kept(asset: AssetId, weight: Fraction, ideal: Fraction, held: Held) -> Fraction:
    if asset in held.no_buy and asset in held.no_sell:
        return weight
    return min(weight, ideal) if asset in held.no_buy else max(weight, ideal)


def _rest(ideals: Mapping[AssetId, Fraction], kept: Mapping[AssetId, Fraction], refuges: frozenset[AssetId]) -> dict[AssetId, Fraction]:
    """New ideals of the free assets: they share what is left as they shared before; with refuges, only those move."""
    free = [asset for asset in ideals if asset not in kept]
    taking = [asset for asset in free if asset in refuges] or free
    fixed = sum((ideals[asset] for asset in free if asset not in taking), _ZERO)
    left = sum(ideals.values(), _ZERO) - sum(kept.values(), _ZERO) - fixed
    whole = sum((ideals[asset] for asset in taking), _ZERO)
    if left < 0 or not taking:
        return {}
    return {asset: left * (ideals[asset] / whole if whole else Fraction(1, len(taking))) for asset in taking}


def _moved(band: Band, by: Fraction) -> Band:
    if not by:
        return band

    def edge(value: Fraction | None) -> Fraction | None:
        return None if value is None else min(_ONE, max(_ZERO, value + by))

    return Band(edge(band.low), edge(band.ideal), edge(band.high))


def _shut(asset: AssetId, band: Band, weight: Fraction, held: Held) -> Band:
    """No band asks for a purchase (or sale) of the asset: its edge on that side reaches the weight that is there."""
    low, high = band.low, band.high
    if asset in held.no_buy and low is not None:
        low = min(low, weight)
    if asset in held.no_sell and high is not None:
        high = max(high, weight)
    return Band(low, band.ideal, high)


def _around(band: Band, weight: Fraction) -> Band:
    low = None if band.low is None else min(band.low, weight)
    high = None if band.high is None else max(band.high, weight)
    return Band(low, weight, high)
