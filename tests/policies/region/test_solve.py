"""Tests of the rebalance solver against enumeration of all active sets, and of what must not change its answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.region.certificate import hold
from policies.region.problem import Problem, document, from_document, problem
from policies.region.solve import nearest_feasible, solve
from policies.region.verifier import complaints
from policies.risk.covariance import BadEstimate, Floats


def drawn(seed: int, most: int = 4) -> Problem:
    """Names not held, asymmetric and zero costs, caps, floors, singular covariances, expected returns: all of it now and then."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, most + 1))
    loadings = rng.normal(0, 0.03, (n, int(rng.integers(1, 3))))
    covariance = loadings @ loadings.T + np.diag(rng.uniform(0, 0.06, n) ** 2 * (rng.random() < 0.9))
    current = rng.dirichlet(np.ones(n) * 0.5)
    if n > 1 and rng.random() < 0.5:
        current[rng.integers(n)] = 0.0
        current /= current.sum()
    costs = (rng.uniform(0, 0.004, n) * (rng.random() < 0.8), rng.uniform(0, 0.004, n) * (rng.random() < 0.8))
    low, high = np.zeros(n), np.ones(n)
    if rng.random() < 0.4:
        low = rng.uniform(0, 0.8 / n, n)
    if rng.random() < 0.4:
        high = np.minimum(1.0, np.maximum(low, rng.uniform(1.2 / n, 3 / n, n)))
        high = high if high.sum() >= 1 else np.ones(n)
    mean = rng.normal(0, 0.001, n) * (rng.random() < 0.4)
    aversion = 10 ** rng.uniform(0, 3)
    return problem(covariance, aversion, rng.dirichlet(np.ones(n)), current, costs=costs, mean=mean, bounds=(low, high))


def enumerated(made: Problem) -> float:
    """The least objective over every assignment of names to floor, below, current, above, cap: no solver, no multiplier rule."""
    best = np.inf
    kink = np.clip(made.current, made.low, made.high)
    for states in product(range(5), repeat=len(kink)):
        weights = np.choose(states, [made.low, made.low, kink, kink, made.high]).astype(float)
        free = [i for i, state in enumerate(states) if state in (1, 3)]
        if free:
            slope = np.array([made.buy[i] if weights[i] >= made.current[i] and states[i] == 3 else -made.sell[i] for i in free])
            for i, name in enumerate(free):
                if states[name] == 1 and made.low[name] >= made.current[name]:
                    slope[i] = made.buy[name]
            size = len(free)
            system = np.zeros((size + 1, size + 1))
            system[:size, :size] = made.aversion * made.covariance[np.ix_(free, free)]
            system[:size, size], system[size, :size] = -1.0, 1.0
            right = np.concatenate([-made.gradient(weights)[free] - slope, [1 - weights.sum()]])
            weights[free] += np.linalg.lstsq(system, right, rcond=None)[0][:size]
        if abs(weights.sum() - 1) < 1e-9 and (weights >= made.low - 1e-12).all() and (weights <= made.high + 1e-12).all():
            best = min(best, made.objective(weights))
    return best


@pytest.mark.parametrize("seed", range(60))
def test_solve__random_problem__equals_enumeration(seed: int) -> None:
    made = drawn(seed)
    found = solve(made)
    assert found.certificate.objective == pytest.approx(enumerated(made), rel=1e-8, abs=1e-12)


@given(st.integers(0, 10**6))
@settings(max_examples=300, deadline=None)
def test_solve__any_problem__its_certificate_is_verified(seed: int) -> None:
    made = drawn(seed, most=12)
    found = solve(made)
    assert complaints(document(made), found.certificate.document()) == ()
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)


@given(st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_gate__says_hold__exactly_when_the_solver_leaves_everything(seed: int) -> None:
    made = drawn(seed, most=8)
    if (made.current >= made.low).all() and (made.current <= made.high).all() and (made.buy + made.sell > 1e-6).all():
        gate = hold(made)
        if abs(gate.low - gate.high) > 1e-9:
            assert gate.optimal == (solve(made).traded == 0)


@pytest.mark.parametrize("seed", range(20))
def test_solve__names_reordered__same_weights(seed: int) -> None:
    made = with_costs(drawn(seed, most=8))
    order = np.random.default_rng(seed).permutation(len(made.current))
    rows = {name: getattr(made, name)[order] for name in ("target", "current", "buy", "sell", "mean", "low", "high")}
    shuffled = replace(made, covariance=made.covariance[np.ix_(order, order)], **rows)
    assert solve(shuffled).weights == pytest.approx(solve(made).weights[order], abs=1e-7)


def with_costs(made: Problem) -> Problem:
    """A unique optimum: some variance of its own for every name."""
    return replace(made, covariance=made.covariance + 1e-4 * np.eye(len(made.current)))


@pytest.mark.parametrize("seed", range(20))
def test_solve__expensive_name_that_nobody_wants__changes_nothing(seed: int) -> None:
    made = with_costs(drawn(seed, most=6))
    size = len(made.current)
    covariance = np.zeros((size + 1, size + 1))
    covariance[:size, :size], covariance[size, size] = made.covariance, 0.01
    rows = {name: np.append(getattr(made, name), 0.0) for name in ("target", "current", "mean", "low")}
    costs = {name: np.append(getattr(made, name), 10.0) for name in ("buy", "sell")}
    wider = replace(made, covariance=covariance, high=np.append(made.high, 1.0), **rows, **costs)
    assert solve(wider).weights == pytest.approx(np.append(solve(made).weights, 0.0), abs=1e-9)


def test_solve__nothing_to_gain__holds_without_a_system_solved() -> None:
    made = problem(np.eye(3), 1.0, np.full(3, 1 / 3), costs=1e-3)
    found = solve(made)
    assert (found.steps, found.traded, found.certificate.held) == (0, 0, True)


def test_solve__one_asset__is_all_of_it() -> None:
    assert solve(problem(np.array([[0.04]]), 1.0, np.ones(1))).weights.tolist() == [1.0]


def test_solve__no_volatility_and_costs__holds() -> None:
    assert solve(problem(np.zeros((2, 2)), 1.0, np.array([0.5, 0.5]), np.array([0.9, 0.1]), costs=1e-3)).traded == 0


def test_solve__negative_direction__is_refused() -> None:
    covariance = np.array([[0.01, 0.05], [0.05, 0.01]])
    with pytest.raises(BadEstimate, match=r"negative variance|settle"):
        solve(problem(covariance, 1.0, np.array([0.5, 0.5]), np.array([0.9, 0.1])))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"covariance": np.array([[1.0, 0.5], [0.4, 1.0]])}, "symmetric"),
        ({"covariance": np.array([[1.0, np.nan], [np.nan, 1.0]])}, "finite"),
        ({"covariance": np.ones((2, 3))}, "square"),
        ({"covariance": np.array([[-1.0, 0.0], [0.0, 1.0]])}, "asset 0 has a negative variance"),
        ({"target": np.array([0.5, np.nan])}, "target: asset 1 is nan"),
        ({"target": np.ones(3)}, "target: 3 values for 2 assets"),
        ({"current": np.array([0.5, 0.4])}, "current weights sum to 0.9, not to one"),
        ({"costs": -1e-3}, "below zero"),
        ({"aversion": 0.0}, "above zero"),
        ({"bounds": (np.array([0.6, 0.6]), 1.0)}, "no weights that sum to one lie between"),
        ({"bounds": (0.0, np.array([0.3, 0.3]))}, "no weights that sum to one lie between"),
        ({"bounds": (np.array([0.6, 0.0]), np.array([0.5, 1.0]))}, "asset 0 has its floor above its cap"),
    ],
)
def test_problem__bad_input__is_told(change: dict[str, object], told: str) -> None:
    good: dict[str, object] = {"covariance": np.eye(2), "aversion": 1.0, "target": np.array([0.5, 0.5])}
    with pytest.raises(BadEstimate, match=told):
        problem(**{**good, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("weights", (0.7, 0.31), "sum to 1.01"),
        ("weights", (1.2, -0.2), "lies outside"),
        ("weights", (0.6, 0.4), "objective"),
        ("weights", (0.6, 0.2, 0.2), "does not belong"),
        ("multiplier", 0.3, "proves a gap"),
        ("objective", 0.0, "the objective is"),
        ("held", True, "not the current ones"),
    ],
)
def test_verifier__forged_certificate__is_refused(field: str, value: object, told: str) -> None:
    made = problem(np.diag([0.04, 0.09]), 5.0, np.array([0.5, 0.5]), np.array([0.9, 0.1]), costs=1e-3)
    proof = solve(made).certificate.document()
    assert complaints(document(made), proof) == ()
    assert any(told in line for line in complaints(document(made), {**proof, field: value}))


def test_problem__stored_and_read_again__is_the_same() -> None:
    made = drawn(3)
    assert document(from_document(document(made))) == document(made)


@given(st.lists(st.floats(-1, 2), min_size=1, max_size=8), st.integers(0, 1000))
def test_nearest_feasible__any_point__keeps_bounds_and_is_nearest(point: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 1 / len(point), len(point))
    high = low + rng.uniform(0, 1, len(point))
    if high.sum() < 1:
        high = np.ones(len(point))
    wanted: Floats = np.array(point)
    found = nearest_feasible(wanted, low, high)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert (found >= low).all()
    assert (found <= high).all()
    for _ in range(20):  # no feasible point on the way to another one is nearer
        other = nearest_feasible(rng.uniform(-1, 2, len(point)), low, high)
        assert float((other - found) @ (wanted - found)) <= 1e-7
