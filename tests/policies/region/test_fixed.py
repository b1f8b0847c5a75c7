"""Tests of trading under a fixed cost per leg, against enumeration of every set of names."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from policies.region.fixed import restricted, solve_fixed, total
from policies.region.impact import Impact, pool_cost, solve_impact
from policies.region.problem import Problem, problem
from policies.region.solve import solve
from policies.risk.covariance import BadEstimate
from tests.benchmarks.policies import workloads

GAS = 2e-5


def enumerated(made: Problem, gas: float) -> float:
    """The least total over every set of names that may be traded."""
    fixed = np.full(len(made.current), gas)
    masks = [np.array(mask) for mask in product([False, True], repeat=len(made.current)) if sum(mask) != 1]
    return min(total(made, restricted(made, mask).weights, fixed) for mask in masks)


@pytest.mark.parametrize("seed", range(12))
def test_solve_fixed__seven_names__equals_enumeration(seed: int) -> None:
    made = workloads.rebalance(7, seed)
    best = enumerated(made, GAS)
    assert solve_fixed(made, GAS)[1] == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("gas", [0.0, 1e-6, 1e-5, 1e-4, 1.0])
def test_solve_fixed__any_cost__no_worse_than_holding_or_ignoring_it(gas: float) -> None:
    made = workloads.rebalance(10)
    found, value = solve_fixed(made, gas)
    fixed = np.full(10, gas)
    assert value <= min(made.objective(made.current), total(made, solve(made).weights, fixed)) + 1e-15
    assert value == pytest.approx(total(made, found.weights, fixed))
    assert found.traded == (0 if gas == 1.0 else found.traded)


def test_solve_fixed__more_gas__fewer_legs() -> None:
    made = workloads.rebalance(10)
    legs = [solve_fixed(made, gas)[0].traded for gas in (0.0, 5e-6, 2e-5, 1e-4)]
    assert legs == sorted(legs, reverse=True)
    assert legs[0] == 4
    assert legs[-1] < 4


@pytest.mark.parametrize("gas", [-1e-6, float("nan")])
def test_solve_fixed__impossible_cost__is_refused(gas: float) -> None:
    with pytest.raises(BadEstimate, match="fixed cost"):
        solve_fixed(workloads.rebalance(3), gas)


def test_impact__none_to_speak_of__the_plain_optimum() -> None:
    made = workloads.rebalance(10)
    weights = solve_impact(made, Impact("pool", np.full(10, 1e9)))
    assert weights == pytest.approx(solve(made).weights, abs=1e-6)


def test_impact__any__no_random_feasible_trade_is_better() -> None:
    made, rng = workloads.rebalance(6), np.random.default_rng(0)
    impact = Impact("pool", rng.uniform(0.5, 5, 6))
    best = solve_impact(made, impact)
    value = made.objective(best) + impact.cost(best - made.current)
    for _ in range(500):
        other = np.maximum(best + rng.normal(0, 0.02, 6), 0)
        other /= other.sum()
        assert made.objective(other) + impact.cost(other - made.current) >= value - 1e-12


def test_impact__pool__is_what_the_constant_product_keeps() -> None:
    reserve, size = 1e6, 1e4
    out = reserve * size / (reserve + size)
    assert pool_cost(size, reserve) == pytest.approx(size - out)


def test_impact__different_costs_of_buying_and_selling__are_refused() -> None:
    made = problem(np.eye(2), 1.0, np.array([0.5, 0.5]), costs=(np.full(2, 1e-3), np.full(2, 2e-3)))
    with pytest.raises(BadEstimate, match="cost the same"):
        solve_impact(made, Impact("pool", np.ones(2)))
