"""The same workloads in other libraries, each imported only where it is installed. None is ever a dependency."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from policies.panel import Panel
from policies.region.problem import Problem


def installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def rebalancers(made: Problem) -> dict[str, Callable[[], Any]]:
    """Each solves the problem from scratch, as its users do."""
    found: dict[str, Callable[[], Any]] = {}
    cvxpy = installed("cvxpy")
    if cvxpy is not None:
        found["cvxpy"] = lambda: cvxpy_step()(made)  # type: ignore[misc]
    if installed("skfolio") is not None:
        found["skfolio"] = _skfolio(made)
    return found


def cvxpy_step() -> Callable[[Problem], Any] | None:
    """Built afresh, solved by Clarabel."""
    cp = installed("cvxpy")
    if cp is None:
        return None

    def step(made: Problem) -> Any:
        weights = cp.Variable(len(made.current))
        risk = 0.5 * made.aversion * cp.quad_form(weights - made.target, cp.psd_wrap(made.covariance))
        cp.Problem(cp.Minimize(risk + made.buy @ cp.abs(weights - made.current)), [cp.sum(weights) == 1, weights >= 0]).solve(
            solver="CLARABEL"
        )
        return np.asarray(weights.value)

    return step


def _skfolio(made: Problem) -> Callable[[], Any]:
    """Its mean-risk model on a prior that states the covariance; the benchmark enters as a constant linear term of the objective."""
    from skfolio.optimization import MeanRisk, ObjectiveFunction
    from skfolio.prior import BasePrior, ReturnDistribution

    # (w-b)'S(w-b) g/2 = g/2 w'Sw - (g S b)'w + constant: a utility with expected return g S b
    mean = made.aversion * (made.covariance @ made.target)

    class Stated(BasePrior):  # type: ignore[misc]
        def __init__(self) -> None:
            pass

        def fit(self, X: Any, y: Any = None, **params: Any) -> Any:  # noqa: N803 - its interface
            self.return_distribution_ = ReturnDistribution(mu=mean, covariance=made.covariance, returns=np.asarray(X))
            return self

    returns = np.random.default_rng(0).normal(0, 0.02, (60, len(made.current)))

    def run() -> Any:
        model = MeanRisk(
            objective_function=ObjectiveFunction.MAXIMIZE_UTILITY,
            risk_aversion=made.aversion / 2,
            transaction_costs=made.buy,
            previous_weights=made.current,
            prior_estimator=Stated(),
        )
        return model.fit(returns).weights_

    return run


def numba_loop() -> Callable[..., Any] | None:
    """The rule as one would write it by hand for numba."""
    numba = installed("numba")
    if numba is None:
        return None

    def loop(prices, target, threshold, cost, value):  # type: ignore[no-untyped-def]
        bars, n = prices.shape
        value *= 1 - cost
        held, values, count = np.empty(n), np.empty(bars), 0
        for i in range(n):
            held[i] = value * target[i] / prices[0, i]
        for t in range(bars):
            value = 0.0
            for i in range(n):
                value += held[i] * prices[t, i]
            worst = 0.0
            for i in range(n):
                worst = max(worst, abs(held[i] * prices[t, i] / value - target[i]))
            if worst > threshold:
                moved = 0.0
                for i in range(n):
                    moved += abs(value * target[i] - held[i] * prices[t, i])
                value -= cost * moved
                count += 1
                for i in range(n):
                    held[i] = value * target[i] / prices[t, i]
            values[t] = value
        return values, count

    compiled: Callable[..., Any] = numba.njit(loop)
    return compiled


def bt_run(panel: Panel, threshold: float) -> dict[str, Any] | None:
    bt, pandas = installed("bt"), installed("pandas")
    if bt is None or pandas is None:
        return None
    times = [datetime.fromtimestamp(t, UTC).replace(tzinfo=None) for t in panel.times]
    frame = pandas.DataFrame(panel.prices, index=pandas.DatetimeIndex(times), columns=list(panel.assets))
    algos = bt.algos
    steps = [
        algos.SelectAll(),
        algos.WeighEqually(),
        algos.Or([algos.RunOnce(), algos.RunIfOutOfBounds(threshold * len(panel.assets))]),
        algos.Rebalance(),
    ]
    test = bt.Backtest(
        bt.Strategy("s", steps),
        frame,
        initial_capital=1e6,
        commissions=lambda q, p: abs(q) * p * 1e-3,
        integer_positions=False,
        progress_bar=False,
    )
    begun = time.perf_counter()
    result = bt.run(test, progress_bar=False)
    taken = time.perf_counter() - begun
    moves = result.get_transactions().index.get_level_values(0).nunique() - 1
    return {"s": taken, "final": float(test.strategy.values.iloc[-1]), "rebalances": int(moves)}
