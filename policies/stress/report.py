"""The stress report: what the policy does on every path, what that loses, and how long each position takes to leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from chains.tokens import AssetId
from policies.backtest.run import Run, Terms, run
from policies.backtest.tearsheet import drawdown
from policies.base import Policy, Portfolio, Targets, Trigger
from policies.decide import memory_of
from policies.panel import panel
from policies.risk.covariance import BadEstimate
from policies.stress.exits import way_out
from policies.stress.paths import HOUR, Path, paths

THIN = Fraction(1, 10)
"""What is left of every pool when depth is cut by 90 %."""


@dataclass(frozen=True, slots=True)
class World:
    """What a stress assumes: costs, the stables, pool depth by asset (USD of one reserve), most impact of an exit, seconds to refill."""

    proportional: Fraction
    per_leg: Fraction
    stable: frozenset[AssetId]
    depth: Mapping[AssetId, Fraction]
    impact: Fraction
    refill: int


@dataclass(frozen=True, slots=True)
class OnlyAssets:
    """A policy without what price paths cannot show: chains, and limits in units."""

    inner: Policy

    @property
    def memory(self) -> int:
        return memory_of(self.inner)

    def targets(self, portfolio: Portfolio) -> Targets:
        return replace(self.inner.targets(portfolio), chains={}, tokens={})


def report(portfolio: Portfolio, policy: Policy, trigger: Trigger, world: World) -> dict[str, Any]:
    """Plain data. Raises BadEstimate for an empty treasury, KeyError for one with an unpriced asset."""
    nav = portfolio.nav
    if nav <= 0:
        raise BadEstimate("the treasury is empty: there is nothing to stress")
    weights = portfolio.asset_weights()
    ways = paths(tuple(weights), world.stable)
    rows = [_row(path, _walked(path, portfolio, (OnlyAssets(policy), trigger), world)) for path in ways]
    worst = max(rows, key=lambda row: float(row["loss"]))
    return {
        "nav": float(nav),
        "paths": rows,
        "worst": {"path": worst["path"], "loss": worst["loss"]},
        "exits": [_exit(asset, weight * nav, world) for asset, weight in weights.items()],
        "outages": [{"chain": str(chain), "stuck": float(share)} for chain, share in portfolio.chain_weights().items()],
    }


def _walked(path: Path, portfolio: Portfolio, rules: tuple[Policy, Trigger], world: World) -> Run:
    now = np.array([float(portfolio.prices.by_asset[asset].value) for asset in path.assets])
    times = [portfolio.time + HOUR * i for i in range(len(path.factors))]
    prices = panel(times, path.assets, now * path.factors)
    weights = portfolio.asset_weights()
    costs = min(Fraction(1, 2), world.proportional * path.dearer), world.per_leg * path.dearer
    return run(prices, *rules, Terms(portfolio.nav, *costs, start=weights))


def _row(path: Path, found: Run) -> dict[str, Any]:
    """`loss`: from today to the path's end; `held`: the same for doing nothing; `deepest`: the worst fall on the way."""
    first = float(found.terms.value)
    start = np.array([float((found.terms.start or {})[asset]) for asset in path.assets])
    held = float(start @ path.factors[-1])
    bought: dict[AssetId, float] = dict.fromkeys(path.assets, 0.0)
    for trade in found.trades:
        for asset in path.assets:
            bought[asset] += max(0.0, trade.after[asset] - trade.before[asset])
    return {
        "path": path.name,
        "loss": 1 - float(found.values[-1]) / first,
        "held": 1 - held,
        "deepest": drawdown(found.values, np.array(found.panel.times, dtype=np.float64))["share"],
        "trades": len(found.trades),
        "bought": {asset: share for asset, share in bought.items() if share > 0},
        "cost": sum(trade.proportional + trade.fixed for trade in found.trades),
        "told": list(found.told)[:5],
    }


def _exit(asset: AssetId, position: Fraction, world: World) -> dict[str, Any]:
    """Null where the depth is not known: unknown is not deep."""
    depth = world.depth.get(asset)
    row: dict[str, Any] = {"asset": asset, "position": float(position), "depth": None if depth is None else float(depth)}
    for name, part in (("now", Fraction(1)), ("thin", THIN)):
        if depth is None:
            row[name] = None
            continue
        way = way_out(position, depth * part, world.impact, world.refill)
        row[name] = {"parts": way.parts, "seconds": way.seconds, "cost": float(way.cost), "at_once": float(way.at_once)}
    return row
