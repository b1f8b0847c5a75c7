"""Tests of forecasts: losses, tests of difference, walk-forward without a look ahead, switching off, and regimes."""

from __future__ import annotations

import numpy as np
import pytest

from policies.forecast import judged, models, regimes
from policies.forecast.loss import diebold_mariano, qlike
from policies.risk.covariance import BadEstimate, Floats


def variances(days: int = 400, assets: int = 2, seed: int = 0) -> Floats:
    rng, level, rows = np.random.default_rng(seed), np.zeros(assets), []
    for _ in range(days):
        level = 0.95 * level + 0.3 * rng.standard_normal(assets)
        rows.append(np.exp(-7 + level))
    return np.array(rows)


def test_qlike__exact_forecast__costs_nothing() -> None:
    assert qlike(np.array([1.0, 2.0]), np.array([1.0, 2.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("bad", [np.array([0.0, 1.0]), np.array([np.nan, 1.0]), np.array([1.0])])
def test_qlike__impossible_variances__are_refused(bad: Floats) -> None:
    with pytest.raises(BadEstimate):
        qlike(bad, np.array([1.0, 2.0]))


def test_diebold_mariano__better_and_equal__signed_and_null() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(1, 1, 2000), rng.normal(1.2, 1, 2000)
    statistic, p_value = diebold_mariano(one, other)
    assert statistic == pytest.approx((one - other).mean() / ((one - other).std() / np.sqrt(2000)))
    assert p_value < 0.01
    assert diebold_mariano(one, one) == (0.0, 1.0)
    assert abs(diebold_mariano(one, other, lags=5)[0]) > 2


@pytest.mark.parametrize("name", sorted(judged.MODELS))
def test_walk__the_future_changed__forecasts_before_stay(name: str) -> None:
    rows = variances()
    changed = rows.copy()
    changed[300:] *= 50
    before, after = (judged.MODELS[name](table, 200) for table in (rows, changed))
    assert before.shape == (200, 2)
    assert before[:101].tolist() == after[:101].tolist()  # row 300 is forecast from rows up to 299
    assert before[101:].tolist() != after[101:].tolist()


def test_walk_har__refitted__equals_a_fit_by_hand() -> None:
    rows = variances(assets=1)
    by_hand = models.fit_har(rows[:230, 0]).forecast(models.har_features(rows[:240, 0])[-1:])
    assert judged.walk_har(rows, 200)[40, 0] == pytest.approx(by_hand[0])


def test_judge__clustered_variances__har_beats_ewma() -> None:
    found = {j.model: j for j in judged.judge(variances(1500, 3), 500)}
    assert found["pooled"].qlike < found["ewma"].qlike
    assert found["pooled"].on
    assert (found["pooled"].statistic < -2, found["pooled"].p_value < 0.05) == (True, True)
    assert found["ewma"].told == "the baseline"


def test_judge__model_that_fails_of_late__is_switched_off_and_says_so() -> None:
    bad = {"ewma": judged.walk_ewma, "wild": lambda rows, start: judged.walk_ewma(rows, start) * 10}
    wild = judged.judge(variances(), 200, bad)[1]
    assert (wild.on, wild.told) == (False, "switched off: no longer beats ewma over the last 200 days")


@pytest.mark.parametrize("start", [10, 400])
def test_judge__nothing_to_learn_or_forecast__is_refused(start: int) -> None:
    with pytest.raises(BadEstimate, match="forecasting starts at row"):
        judged.judge(variances(), start)


@pytest.mark.parametrize("rows", [np.ones(20), np.append(np.ones(60), 0.0), np.append(np.ones(60), np.nan)])
def test_fit_har__too_few_or_no_variance__is_refused(rows: Floats) -> None:
    with pytest.raises(BadEstimate):
        models.fit_har(rows)


def test_daily_variances__gap__belongs_to_no_day() -> None:
    hours = np.array([h * 3600.0 for h in range(48) if not 20 <= h < 30])
    prices = np.where(hours >= 30 * 3600, 200.0, 100.0) * 1.01 ** (np.arange(len(hours)) % 2)
    _, found = models.daily_variances(hours, prices)
    assert found == pytest.approx([19 * np.log(1.01) ** 2, 17 * np.log(1.01) ** 2])


def test_garch__long_horizon__forgets_today() -> None:
    model = models.Garch(0.0, 0.02, 0.08, 0.9)
    assert model.ahead(5.0, 10_000) == pytest.approx(0.02 / 0.02)
    assert model.ahead(5.0, 1) == 5.0


def test_regime__storm__begins_above_and_ends_below_its_levels() -> None:
    times = np.arange(2000) * 3600.0
    returns = np.where((np.arange(2000) >= 1000) & (np.arange(2000) < 1100), 0.03, 0.01) * (-1) ** np.arange(2000)
    ratios, storms = regimes.Regime().path(times, 100 * np.exp(np.cumsum(returns)))
    assert not any(storms[500:999])
    assert any(storms[1000:1100])
    assert not any(storms[1600:])
    first = storms.index(True)
    assert ratios[first] > 2 >= ratios[first - 1]
    end = first + storms[first:].index(False)
    assert ratios[end] < 1.25 <= ratios[end - 1]


def test_business_time__twice_the_volatility__runs_four_times_as_fast() -> None:
    prices = 100 * np.exp(np.cumsum(0.01 * (-1) ** np.arange(1000)))
    calm = regimes.business_seconds(np.arange(1000.0), prices, 0.4)
    assert regimes.business_seconds(np.arange(1000.0), prices, 0.2) == pytest.approx(4 * calm)
    assert regimes.widened(0.05, 1e-3, 8e-3) == pytest.approx(0.1)
