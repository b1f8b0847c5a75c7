"""`make bench-policies`: the same problems for this project and for other libraries, in one process; writes bench-policies.json.

Other libraries are benchmark-only: those that are not installed are left out, and said so. A ratio counts only beside what both
sides answered: the gap of the objective, the names traded, the final value and the number of rebalances.
"""

from __future__ import annotations

import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from policies.backtest import fast, kernel
from policies.backtest.run import Terms
from policies.drift import BandPolicy, DriftTrigger
from policies.region.certificate import hold
from policies.region.problem import problem
from policies.region.solve import solve
from policies.risk.covariance import sample, simple_returns
from tests.benchmarks.policies import others, workloads

PACKAGES = ("numpy", "numba", "skfolio", "bt", "cvxpy", "clarabel")
OUT = Path("bench-policies.json")


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median; once before that nobody counts."""
    work()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return float(np.median(taken))


def rebalances(report: dict[str, Any]) -> None:
    for n in (10, 100, 500):
        report["rebalance"][str(n)] = _rebalance(n, report["ratios"])


def _rebalance(n: int, ratios: dict[str, float]) -> dict[str, Any]:
    made = workloads.rebalance(n)
    loadings, specific, target, current, costs = workloads.factors(n, n)
    covariance, aversion = loadings @ loadings.T + np.diag(specific), 30.0 * np.sqrt(n)
    found = solve(made)
    ours = seconds(lambda: solve(problem(covariance, aversion, target, current, costs=costs)), 50 if n < 500 else 20)
    entry: dict[str, Any] = {"ours_s": ours, "objective": found.certificate.objective, "names": found.traded}
    for name, run in others.rebalancers(made).items():
        weights = np.maximum(run(), 0)
        weights /= weights.sum()
        taken = seconds(run, 10 if n < 500 else 3)
        gap = made.objective(weights) / found.certificate.objective - 1
        entry[name] = {"s": taken, "gap": gap, "names": int(np.sum(np.abs(weights - current) > 1e-6))}
        ratios[f"rebalance_{n}_vs_{name}"] = taken / ours
    entry["gate_s"] = seconds(lambda: hold(made), 50)
    return entry


def backtests(report: dict[str, Any], slow: bool) -> None:
    panels = {"SD5": (5, 1001, 17, workloads.DAYS), "SH5": (5, 23_987, 8, workloads.HOURS), "SH19": (19, 23_987, 19, workloads.HOURS)}
    for name, shape in panels.items():
        report["backtest"][name] = _backtest(name, shape, report["ratios"], name == "SD5" or slow)
    main = "SH5" if slow else "SD5"
    for kind in ("bt", "numba"):
        if f"backtest_{main}_vs_{kind}" in report["ratios"]:
            report["ratios"][f"backtest_vs_{kind}"] = report["ratios"][f"backtest_{main}_vs_{kind}"]


def _backtest(name: str, shape: tuple[int, int, int, float], ratios: dict[str, float], with_bt: bool) -> dict[str, Any]:
    n = shape[0]
    prices = workloads.synthetic(*shape)
    ideal = dict.fromkeys(prices.assets, Fraction(1, n))
    policy, terms = BandPolicy(fast.point_targets(ideal, Fraction(1, 4 * n))), Terms(proportional=Fraction(1, 1000), entry=True)
    edges = fast.edges_of(prices, policy, DriftTrigger(), terms)
    assert edges is not None
    found = fast.jump(prices, edges, terms)
    ours = seconds(lambda: fast.jump(prices, edges, terms), 50)
    entry: dict[str, Any] = {"ours_s": ours, "final": float(found.values[-1]), "rebalances": len(found.trades)}
    entry["with_tables_s"] = seconds(lambda: tuple(fast.backtest(prices, policy, DriftTrigger(), terms).trades), 10)
    loop = others.numba_loop()
    if loop is not None:
        values, count = loop(prices.prices, np.full(n, 1 / n), 0.25 / n, 1e-3, 1e6)
        taken = seconds(lambda: loop(prices.prices, np.full(n, 1 / n), 0.25 / n, 1e-3, 1e6), 50)
        entry["numba"] = {"s": taken, "final": float(values[-1]), "rebalances": int(count)}
        ratios[f"backtest_{name}_vs_numba"] = ours / taken
    if with_bt:
        other = others.bt_run(prices, 0.25 / n)
        if other is not None:
            entry["bt"] = other
            ratios[f"backtest_{name}_vs_bt"] = other["s"] / ours
    return entry


def in_the_loop(report: dict[str, Any]) -> None:
    """The optimiser at every bar of a year and a half, behind its certificate, against cvxpy built anew at the same bars."""
    prices, ideal = workloads.synthetic(5, 1001, 17, workloads.DAYS), np.full(5, 0.2)
    covariance = sample(simple_returns(prices.prices))

    def walk(step: Callable[[Any], Any]) -> int:
        weights, traded = ideal, 0
        for before, after in zip(prices.prices, prices.prices[1:], strict=False):
            grown = weights * after / before
            made = problem(covariance, 10.0, ideal, grown / grown.sum(), costs=1e-3)
            weights = step(made)
            traded += int(np.abs(weights - made.current).max() > 1e-6)
        return traded

    ours = seconds(lambda: walk(lambda made: solve(made).weights), 3)
    report["loop"] = {"ours_s": ours, "bars_traded": walk(lambda made: solve(made).weights)}
    step = others.cvxpy_step()
    if step is not None:
        begun = time.perf_counter()
        traded = walk(step)
        report["loop"]["cvxpy"] = {"s": time.perf_counter() - begun, "bars_traded": traded}
        report["ratios"]["loop_vs_cvxpy"] = report["loop"]["cvxpy"]["s"] / ours


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def main(words: list[str]) -> None:
    warnings.filterwarnings("ignore")
    report: dict[str, Any] = {
        "versions": versions(),
        "ratios": {},
        "rebalance": {},
        "backtest": {},
        "compiled": kernel.compiled() is not None,
    }
    rebalances(report)
    backtests(report, slow="--slow" in words)
    in_the_loop(report)
    OUT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for name, ratio in report["ratios"].items():
        print(f"{name:32} {ratio:12,.2f}")  # noqa: T201
    missing = [name for name, found in report["versions"].items() if found == "not installed"]
    print(f"wrote {OUT}" + (f"; left out, not installed: {', '.join(missing)}" if missing else ""))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
