"""The laws of the check values that need a backtest: thresholds, two bands, an optimiser in the loop, a dying asset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from coordinator.commands.backtesting import open_panel
from policies.backtest.fast import backtest, point_targets
from policies.backtest.run import Run, Terms
from policies.base import Band, Policy
from policies.breakers.conditions import PriceMove
from policies.breakers.policy import Breaker, Guarded, WayBack
from policies.drift import BandPolicy, DriftTrigger
from policies.panel import Panel
from policies.region.problem import problem
from policies.region.solve import solve
from policies.risk.covariance import sample, simple_returns
from tests.benchmarks.policies import workloads

Row = Mapping[str, Any]
FIXTURES = "POLICY_FIXTURES"
"""Environment variable: a folder with recorded prices. Rows that need it are skipped without."""


def needs_fixture(row: Row) -> bool:
    return "fixture" in row["inputs"]


def panel_of(i: Row) -> Panel:
    if "fixture" in i:
        return open_panel(Path(os.environ[FIXTURES]) / i["fixture"]).chosen(i["assets"]).common()
    return workloads.synthetic(i["n"], i["bars"], i["seed"], i.get("bars_per_year", workloads.HOURS))


def threshold(i: Row) -> dict[str, Any]:
    panel = panel_of(i)
    size = len(panel.assets)
    near = Fraction(i["thr"]).limit_denominator(10**6)
    targets = point_targets({asset: Fraction(1, size) for asset in panel.assets}, near)
    found = backtest(panel, BandPolicy(targets), DriftTrigger(), Terms(proportional=Fraction(1, 1000), entry=True))
    return {"final": found.values[-1], "rebalances": len(found.trades), "closest_approach": found.closest}


def two_band(i: Row) -> dict[str, Any]:
    panel = panel_of(i)
    ideal, outer = Fraction(1, i["n"]), Fraction(str(i["D"]))
    inner = Fraction(str(i["rho"])) * outer
    targets = point_targets(dict.fromkeys(panel.assets, ideal), outer)
    targets = replace(targets, assets=dict.fromkeys(panel.assets, Band(ideal - inner, ideal, ideal + inner)))
    terms = Terms(value=Fraction(1), proportional=Fraction(1, 1000), per_leg=Fraction(1, 100_000))
    found = backtest(panel, BandPolicy(targets), DriftTrigger(), terms)
    turnover = sum(trade.turnover for trade in found.trades)
    return {"final": found.values[-1], "events": len(found.trades), "legs": sum(t.legs for t in found.trades), "turnover": turnover}


def in_the_loop(i: Row) -> dict[str, Any]:
    """The certificate at every bar, the solver when it fails; entry cost paid, cost from the value before cost."""
    panel = panel_of(i)
    covariance, ideal = sample(simple_returns(panel.prices)), np.full(i["n"], 1 / i["n"])
    value, weights, bars, turnover = 1e6 * (1 - i["cost"]), ideal, 0, 0.0
    for bar in range(len(panel.times)):
        if bar:
            grown = weights * panel.prices[bar] / panel.prices[bar - 1]
            value, weights = value * float(grown.sum()), grown / grown.sum()
        found = solve(problem(covariance, i["g"], ideal, weights, costs=i["cost"]))
        if found.traded:
            bars, turnover = bars + 1, turnover + found.turnover
            value *= 1 - i["cost"] * found.turnover
            weights = found.weights / found.weights.sum()
    return {"final": value, "bars_traded": bars, "turnover": turnover}


def dying(i: Row) -> dict[str, Any]:
    panel = workloads.dying(i["seed"])
    found: dict[str, Any] = {"hold": float(np.mean(panel.prices[-1] / panel.prices[0])), "none": _outcome(dying_run(panel, None))}
    for percent, hours in ((30, 72), (50, 72), (20, 24)):
        found[f"{percent}%/{hours}"] = _outcome(dying_run(panel, (Fraction(percent, 100), hours)))
    return found


def dying_run(panel: Panel, breaker: tuple[Fraction, int] | None) -> Run:
    """Threshold of five points to target, 10 bp, no entry cost; the breaker forbids buying for 336 h after its last reason."""
    size = len(panel.assets)
    policy: Policy = BandPolicy(point_targets({asset: Fraction(1, size) for asset in panel.assets}, Fraction(5, 100)))
    if breaker is not None:
        fall = PriceMove(breaker[0], breaker[1] * 3600, breaker[0])
        policy = Guarded(policy, (Breaker("dying", fall, "no-buy", WayBack(after=336 * 3600)),))
    return backtest(panel, policy, DriftTrigger(), Terms(value=Fraction(1), proportional=Fraction(1, 1000)))


def _outcome(found: Run) -> dict[str, Any]:
    return {"final": float(found.values[-1]), "rebalances": len(found.trades)}


LAWS = {
    "threshold backtest": threshold,
    "two-band backtest": two_band,
    "optimiser-in-the-loop backtest": in_the_loop,
    "dying asset and breaker": dying,
}
