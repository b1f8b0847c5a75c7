"""The frontier: what each rule costs at equal tracking error on recorded (or seeded) prices, net of cost.

`python -m tests.benchmarks.policies.frontier [PRICES.csv]`. Every rule's width is swept and read at the asked tracking error by
log-log interpolation; cost in basis points of NAV a year is proportional x turnover + per leg x legs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from policies.backtest.fast import backtest, point_targets, tracking_of
from policies.backtest.run import Run, Terms, run
from policies.base import Band, Policy, Targets, Trigger
from policies.drift import BandPolicy, DriftTrigger, IntervalTrigger
from policies.panel import Panel
from policies.region.problem import problem
from policies.region.solve import solve
from policies.risk.covariance import sample, simple_returns
from tests.benchmarks.policies import workloads

COSTS = ((1e-3, 0.0), (1e-3, 1e-5), (3e-3, 1e-5), (3e-3, 1e-4))
ASKED = (0.01, 0.02)
YEAR = 365.25 * 86_400


@dataclass(frozen=True, slots=True)
class Point:
    """Per year: tracking error, turnover, legs."""

    tracking: float
    turnover: float
    legs: float


def bands(panel: Panel, outer: float, part: float) -> tuple[Policy, Trigger]:
    """A trade starts at `outer` and lands at `part` of it, in pairs of legs."""
    ideal, width = Fraction(1, len(panel.assets)), Fraction(outer).limit_denominator(10**6)
    inner = width * Fraction(part).limit_denominator(100)
    started = point_targets(dict.fromkeys(panel.assets, ideal), width)
    return BandPolicy(Targets(dict.fromkeys(panel.assets, Band(ideal - inner, ideal, ideal + inner)), outer=started.outer)), DriftTrigger()


def point_of(found: Run) -> Point:
    years = (found.panel.times[-1] - found.panel.times[0]) / YEAR
    tracking = float(np.sqrt(np.sum(tracking_of(found) ** 2) / years))
    return Point(tracking, sum(t.turnover for t in found.trades) / years, sum(t.legs for t in found.trades) / years)


def optimiser(panel: Panel, aversion: float) -> Point:
    """The certificate at every bar and the solver behind it, with a static covariance: trades to the edge of the no-trade region."""
    prices, size = panel.prices, len(panel.assets)
    covariance, ideal = sample(simple_returns(prices)), np.full(size, 1.0 / size)
    weights, turnover, legs, apart = ideal, 0.0, 0, 0.0
    for before, after in pairwise(prices):
        apart += float((weights - ideal) @ (after / before - 1)) ** 2
        grown = weights * after / before
        found = solve(problem(covariance, aversion, ideal, grown / grown.sum(), costs=1e-3))
        turnover, legs, weights = turnover + found.turnover, legs + found.traded, found.weights
    years = (panel.times[-1] - panel.times[0]) / YEAR
    return Point(float(np.sqrt(apart / years)), turnover / years, legs / years)


def calendar(panel: Panel, days: float) -> Point:
    size = len(panel.assets)
    points = Targets(dict.fromkeys(panel.assets, Band(*(Fraction(1, size),) * 3)))
    return point_of(run(panel, BandPolicy(points), IntervalTrigger(int(days * 86_400)), Terms()))


def rules(panel: Panel) -> dict[str, list[Point]]:
    """Every rule swept over its width."""
    widths = np.geomspace(0.004, 0.2, 24)

    def swept(part: float) -> list[Point]:
        return [point_of(backtest(panel, *bands(panel, float(width), part), Terms())) for width in widths]

    return {
        "calendar": [calendar(panel, days) for days in np.geomspace(0.5, 60, 7)],
        "threshold to target": swept(0.0),
        "pairs, half way back": swept(0.5),
        "threshold to edge": swept(1.0),
        "optimiser, static risk": [optimiser(panel, float(g)) for g in np.geomspace(3e1, 1e4, 8)],
    }


def at(points: list[Point], tracking: float, value: Callable[[Point], float]) -> float:
    ordered = sorted(points, key=lambda point: point.tracking)
    x = np.log([max(point.tracking, 1e-9) for point in ordered])
    return float(np.exp(np.interp(np.log(tracking), x, np.log([value(point) + 1e-9 for point in ordered]))))


def main(words: list[str]) -> None:
    from coordinator.commands.backtesting import open_panel

    panel = open_panel(Path(words[0])).common() if words else workloads.synthetic(5, 4000, 8)
    found = rules(panel)
    for tracking in ASKED:
        print(f"tracking error {tracking:.0%}, {len(panel.assets)} assets, {len(panel.times)} bars")  # noqa: T201
        for name, points in found.items():
            turnover, legs = at(points, tracking, lambda p: p.turnover), at(points, tracking, lambda p: p.legs)
            costs = "  ".join(f"{k * 1e4:.0f}bp+{f:.0e}: {1e4 * (k * turnover + f * legs):7.1f}" for k, f in COSTS)
            print(f"  {name:24} turnover {turnover:7.3f}  legs {legs:8.1f}  cost bp/yr  {costs}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
