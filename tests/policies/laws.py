"""The laws of the check values: each row's inputs to our outputs. `python -m tests.policies.laws` prints value, ours, difference."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from policies.forecast import loss, models
from policies.region import aim, bands, fixed, impact, legs
from policies.region.certificate import hold
from policies.region.problem import problem
from policies.region.solve import solve
from policies.risk import covariance, parity, tracking
from policies.stress import exits
from tests.benchmarks.policies import workloads
from tests.policies import laws_backtest

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "check_values.json").read_text(encoding="utf-8"))
Row = Mapping[str, Any]


def certificate(i: Row) -> dict[str, Any]:
    made = problem(np.array(i["S"]), i["g"], np.array(i["b"]), np.array(i["w0"]), costs=(np.array(i["kb"]), np.array(i["ks"])))
    gate, found = hold(made), solve(made)
    return {
        "hold": gate.optimal,
        "lo": gate.low,
        "hi": gate.high,
        "w": found.weights,
        "objective": found.certificate.objective,
        "turnover": found.turnover,
        "traded": found.traded,
    }


def rebalance(i: Row) -> dict[str, Any]:
    made = workloads.rebalance(i["n"], i["seed"])
    found = solve(made)
    held = made.objective(made.current)
    return {"objective": found.certificate.objective, "objective_hold": held, "traded": found.traded, "turnover": found.turnover}


def with_impact(i: Row) -> dict[str, Any]:
    made = workloads.rebalance(i["n"], i["seed"])
    rng = np.random.default_rng(i["seed"] + 1)
    depth, power = rng.uniform(0.5, 50, i["n"]), rng.uniform(0.002, 0.02, i["n"])
    model = impact.Impact("power", power) if i["kind"] == "p15" else impact.Impact("pool", depth)
    weights = impact.solve_impact(made, model)
    moved = weights - made.current
    return {"objective": made.objective(weights) + model.cost(moved), "traded": int(np.sum(np.abs(moved) > 1e-6))}


def with_fixed(i: Row) -> dict[str, Any]:
    made = workloads.rebalance(i["n"], i["seed"])
    found, value = fixed.solve_fixed(made, i["gas"])
    return {"objective": value, "names": np.flatnonzero(found.weights != made.current).tolist()}


def two_band(i: Row) -> dict[str, Any]:
    band = bands.optimal(bands.Setting(i["a"], i["s"], i["k"], i["F"]))
    return {"delta": band.inner, "Delta": band.outer, "cost_rate": band.cost}


def band_averages(i: Row) -> dict[str, Any]:
    now = bands.averages(bands.Setting(i["a"], i["s"], i["k"], i["F"]), i["delta"], i["Delta"])
    return {"mean_x2": now.mean_square, "turnover": now.turnover, "trades": now.trades, "cost_rate": now.cost}


def single_laws(i: Row) -> dict[str, Any]:
    law = bands.Setting(i["a"], i["s"], i["k"], 0.0)
    reflect, centre, every = bands.reflect(law), bands.centre(law), bands.calendar(law)
    return {
        "reflect_Delta": reflect,
        "reflect_cost": law.running * reflect**2 / 2,
        "centre_Delta": centre,
        "centre_cost": law.running * centre**2 / 4,
        "calendar_tau": every,
        "calendar_cost": 0.75 * law.running * law.speed**2 * every,
    }


def trading_rate(i: Row) -> dict[str, Any]:
    found = aim.trading_rate(i["gamma"], i["lambda"], i["rho"])
    return {"a": found.a, "rate": found.rate, "aim_weight": found.aim_weight}


def aim_portfolio(i: Row) -> dict[str, Any]:
    rate = aim.trading_rate(i["gamma"], i["lambda"], i["rho"]), i["gamma"]
    return {"aim": aim.aim(*(np.array(i[name]) for name in ("Sigma", "B", "Phi", "f")), rate)}


def almgren(i: Row) -> dict[str, Any]:
    found = impact.almgren(i["X_over_V"], i["Theta"] / i["V"], i["sigma"], i["T"])
    return {"I_bp": found.permanent * 1e4, "K_bp": found.temporary * 1e4, "J_bp": found.expected * 1e4}


def risk_parity(i: Row) -> dict[str, Any]:
    matrix = np.array(i["S"])
    weights = parity.risk_budgets(matrix)
    return {"w": weights, "vol": tracking.volatility(weights, matrix)}


def diversification(i: Row) -> dict[str, Any]:
    volatility = np.array(i["vol"])
    matrix = i["rho"] * np.outer(volatility, volatility)
    np.fill_diagonal(matrix, volatility**2)
    return {"value": tracking.diversification_return(np.array(i["w"]), matrix)}


def drifted(i: Row) -> dict[str, Any]:
    returns, weights = tracking.drifted(np.array(i["w"]), np.array(i["returns"]))
    return {"returns": returns, "total": float(np.prod(1 + returns) - 1), "final_weights": weights}


def shrinkage(i: Row) -> dict[str, Any]:
    draws = np.random.default_rng(i["seed"]).standard_normal((i["T"], i["n"])) * np.linspace(0.5, 2, i["n"])
    return {"ledoit_wolf": covariance.ledoit_wolf(draws)[1], "oas": covariance.oracle_approximating(draws)[1]}


def two_legs(i: Row) -> dict[str, Any]:
    new = legs.by_pairs(i["w"], i["b"], i["inner"])
    moved = np.abs(np.array(new) - i["w"])
    furthest = float(np.max(np.abs(np.array(new) - i["b"])))
    return {"new": new, "legs": int(np.sum(moved > 1e-9)), "turnover": float(moved.sum()), "max_deviation": furthest}


def garch(i: Row) -> dict[str, Any]:
    draws, level, returns = np.random.default_rng(i["seed"]).standard_normal(1000), 0.5, []
    for z in draws:
        returns.append(0.02 + np.sqrt(level) * z)
        level = 0.02 + 0.08 * (returns[-1] - 0.02) ** 2 + 0.9 * level
    model = models.Garch(i["mu"], i["omega"], i["alpha"], i["beta"], i["gamma"])
    likelihood, after = model.filtered(np.array(returns))
    return {"loglik": likelihood, "h_next": after, "h_10": model.ahead(after, 10)}


def har(i: Row) -> dict[str, Any]:
    level, realised = 0.0, []
    for z in np.random.default_rng(i["seed"]).standard_normal(400):
        level = 0.95 * level + 0.3 * z
        realised.append(np.exp(-7 + level))
    rows = np.array(realised)
    fitted = models.fit_har(rows)
    return {
        "coefficients": fitted.coefficients,
        "residual_variance": fitted.residual_variance,
        "forecast": float(fitted.forecast(models.har_features(rows)[-1:])[0]),
        "ewma94": float(models.ewma(rows)[-1]),
    }


def qlike(i: Row) -> dict[str, Any]:
    return {"value": float(np.mean(loss.qlike(np.array(i["forecast"]), np.array(i["realised"]))))}


def pool(i: Row) -> dict[str, Any]:
    return {"out": exits.pool_out((i["Rin"], i["Rout"]), i["dx"], i["fee"])}


LAWS: dict[str, Callable[[Row], dict[str, Any]]] = {
    "no-trade certificate": certificate,
    "single-period rebalance (P1)": rebalance,
    "rebalance with impact (P2)": with_impact,
    "rebalance with a fixed cost per name (P3)": with_fixed,
    "two-band law": two_band,
    "two-band averages": band_averages,
    "reflect / centre / calendar laws": single_laws,
    "Garleanu-Pedersen trading rate": trading_rate,
    "Garleanu-Pedersen aim portfolio": aim_portfolio,
    "Almgren et al. impact": almgren,
    "risk parity / risk budgeting": risk_parity,
    "diversification return": diversification,
    "drifted weights": drifted,
    "shrinkage intensity": shrinkage,
    "two-leg plan": two_legs,
    "constant-product swap": pool,
    "GARCH / GJR recursion": garch,
    "HAR-log regression": har,
    "QLIKE": qlike,
    **laws_backtest.LAWS,
}


def comparisons(row: Row, ours: Row) -> list[tuple[str, Any, Any, float, float]]:
    """(output, value, ours, largest difference, largest share of the allowed difference) of every expected output."""
    found = []
    for name, value in row["expected"].items():
        if isinstance(value, dict):
            found += [(f"{name}.{key}", v, ours[name][key], *_apart(row["tol"], key, v, ours[name][key])) for key, v in value.items()]
        else:
            found.append((name, value, ours[name], *_apart(row["tol"], name, value, ours[name])))
    return found


def _apart(tol: Row, name: str, value: Any, mine: Any) -> tuple[float, float]:
    allowed = tol.get("keys", {}).get(name, tol)
    expected, got = np.asarray(value, dtype=float), np.asarray(mine, dtype=float)
    if expected.shape != got.shape:
        return float("inf"), float("inf")
    apart = np.abs(got - expected)
    exact = isinstance(value, bool | int) and name not in tol.get("keys", {})
    most = np.zeros_like(expected) if exact else allowed["abs"] + allowed["rel"] * np.abs(expected)
    return float(apart.max(initial=0.0)), float(np.max(apart / np.maximum(most, 1e-300), initial=0.0))


def main() -> None:
    for row in ROWS:
        law = None if laws_backtest.needs_fixture(row) and laws_backtest.FIXTURES not in os.environ else LAWS.get(row["law"])
        for name, value, mine, apart, part in comparisons(row, law(row["inputs"])) if law else []:
            short = [repr(np.round(np.asarray(v, dtype=float), 10).tolist())[:44] for v in (value, mine)]
            print(f"{row['id']:28} {name:18} {short[0]:46} {short[1]:46} {apart:9.1e} {'ok' if part <= 1 else 'OFF'}")  # noqa: T201


if __name__ == "__main__":
    main()
