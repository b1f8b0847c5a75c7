"""Tests of risk estimates: what they equal, and what they refuse."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from policies.risk import covariance as c
from policies.risk import parity, tracking
from policies.risk.model import ObservedRisk, StatedRisk
from policies.risk_targets import capped
from tests.policies.folio import DAY, folio, seen

RETURNS = np.random.default_rng(0).normal(0, 0.02, (300, 4)) @ np.array([[1, 0.5, 0, 0], [0, 1, 0.2, 0], [0, 0, 1, 0], [0, 0, 0.3, 1]])


def test_sample__any_returns__equals_numpy() -> None:
    assert c.sample(RETURNS) == pytest.approx(np.cov(RETURNS.T), rel=1e-12)


def test_ewma__halflife__halves_the_weight_of_older_returns() -> None:
    assert c.ewma(np.array([[2.0], [1.0]]), halflife=1.0)[0, 0] == pytest.approx((0.5 * 4 + 1 * 1) / 1.5)
    assert c.ewma(RETURNS, 1e9) == pytest.approx(RETURNS.T @ RETURNS / len(RETURNS), rel=1e-6)


def test_ledoit_wolf__one_asset__is_not_shrunk() -> None:
    shrunk, intensity = c.ledoit_wolf(RETURNS[:, :1])
    assert (intensity, shrunk[0, 0]) == (0.0, pytest.approx(np.var(RETURNS[:, 0])))


def test_shrinkage__more_assets_than_returns__is_positive_definite() -> None:
    wide = np.random.default_rng(1).normal(0, 1, (5, 20))
    for estimate in (c.ledoit_wolf, c.oracle_approximating):
        shrunk, intensity = estimate(wide)
        assert 0 < intensity <= 1
        assert np.linalg.eigvalsh(shrunk).min() > 0


def test_shrinkage__no_variance_at_all__stays_zero() -> None:
    assert c.ledoit_wolf(np.zeros((5, 3)))[0].tolist() == np.zeros((3, 3)).tolist()


@pytest.mark.parametrize(
    ("returns", "told"),
    [
        (np.zeros((1, 2)), "1 returns of 2 assets"),
        (np.zeros((5, 0)), "5 returns of 0 assets"),
        (np.zeros(5), "must be a table"),
        (np.array([[0.1, 0.2], [np.nan, 0.1]]), "return 1 of asset 0 is nan; fill or drop the gap"),
        (np.array([[0.1, 0.2], [0.1, np.inf]]), "return 1 of asset 1 is inf"),
    ],
)
def test_estimates__bad_returns__are_refused(returns: c.Floats, told: str) -> None:
    with pytest.raises(c.BadEstimate, match=told):
        c.sample(returns)


def test_correlation__asset_without_volatility__is_correlated_with_nothing() -> None:
    assert c.correlation(np.array([[0.04, 0.0], [0.0, 0.0]])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_contributions__any_weights__sum_to_the_volatility() -> None:
    matrix, weights = c.sample(RETURNS), np.array([0.1, 0.2, 0.3, 0.4])
    assert tracking.contributions(weights, matrix).sum() == pytest.approx(tracking.volatility(weights, matrix))
    assert tracking.contributions(weights, np.zeros((4, 4))).tolist() == [0.0] * 4


def test_tracking__before_and_after__told_with_turnover() -> None:
    found = tracking.compared(np.array([0.7, 0.3]), np.array([0.6, 0.4]), np.array([0.5, 0.5]), np.diag([0.04, 0.0]))
    assert (found.before, found.after, found.turnover) == pytest.approx((0.04, 0.02, 0.2))


def test_realised_volatility__gap__counts_as_the_time_it_was() -> None:
    hourly = tracking.realised_volatility([0, 3600, 7200], np.exp([0.0, 0.01, 0.0]))
    with_gap = tracking.realised_volatility([0, 3600, 4 * 3600 + 3600], np.exp([0.0, 0.01, 0.03]))
    assert with_gap == pytest.approx(hourly)  # four hours of the same variance: twice the return
    with pytest.raises(c.BadEstimate, match="two prices"):
        tracking.realised_volatility([0], np.ones(1))


@pytest.mark.parametrize("seed", range(10))
def test_risk_budgets__random_covariance__contributions_are_the_budgets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loadings, budgets = rng.normal(0, 0.3, (6, 6)), rng.dirichlet(np.ones(6))
    matrix = loadings @ loadings.T + 0.01 * np.eye(6)
    weights = parity.risk_budgets(matrix, budgets)
    shares = tracking.contributions(weights, matrix) / tracking.volatility(weights, matrix)
    assert shares == pytest.approx(budgets, abs=1e-9)


def test_risk_budgets__constant_correlation__is_inverse_volatility() -> None:
    volatility = np.array([0.1, 0.2, 0.4])
    matrix = 0.3 * np.outer(volatility, volatility) + 0.7 * np.diag(volatility**2)
    assert parity.risk_budgets(matrix) == pytest.approx((1 / volatility) / (1 / volatility).sum())
    assert parity.risk_budgets(np.array([[0.04]])).tolist() == [1.0]


def test_risk_budgets__zero_volatility_or_bad_budgets__are_refused() -> None:
    with pytest.raises(c.BadEstimate, match="asset 1 has no volatility"):
        parity.risk_budgets(np.diag([0.04, 0.0]))
    with pytest.raises(c.BadEstimate, match="sum to one"):
        parity.risk_budgets(np.diag([0.04, 0.04]), np.array([0.5, 0.6]))


def test_capped__floors_and_caps__nearest_weights_between() -> None:
    found = capped(np.array([0.8, 0.15, 0.05]), np.array([0.0, 0.2, 0.1]), np.array([0.5, 1.0, 1.0]))
    assert found == pytest.approx([0.5, 0.3, 0.2])
    with pytest.raises(c.BadEstimate, match="no weights that sum to one"):
        capped(np.array([0.5, 0.5]), np.zeros(2), np.full(2, 0.4))


def test_stated_risk__unnamed_asset__has_no_volatility() -> None:
    matrix = StatedRisk({"ETH": Fraction(8, 10)}).covariance(folio({"ETH": 1}), ["ETH", "USDC"])
    assert matrix.tolist() == [[pytest.approx(0.64), 0.0], [0.0, 0.0]]


def test_observed_risk__remembered_prices__yearly_and_gap_proof() -> None:
    ups = [100 * 1.01 ** (h % 2) for h in range(60)]
    past = [seen(60 - h, ETH=ups[h]) for h in range(60)]
    risk = ObservedRisk(1000 * DAY, 30 * DAY)
    hourly = risk.covariance(folio({"ETH": 1}, {"ETH": 100}, past), ["ETH"])[0, 0]
    assert hourly == pytest.approx(np.log(1.01) ** 2 * 8766, rel=1e-3)
    holed = [o for i, o in enumerate(past) if i % 2 == 0 or i < 50]  # a hole is a longer time, not a wilder return
    assert risk.covariance(folio({"ETH": 1}, {"ETH": 100}, holed), ["ETH"])[0, 0] < hourly


def test_observed_risk__too_little_remembered__is_refused_with_the_count() -> None:
    with pytest.raises(c.BadEstimate, match="1 returns of ETH are remembered; 30 are needed"):
        ObservedRisk(DAY, 30 * DAY).covariance(folio({"ETH": 1}, past=[seen(1, ETH=1)]), ["ETH"])
