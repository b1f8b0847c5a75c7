"""Tests of the band laws: what must hold for any costs, beyond the check values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.region.bands import GOALS, Setting, averages, calendar, centre, optimal, planned, reflect, setting, with_depth
from policies.region.legs import by_pairs, to_ray
from policies.risk.covariance import BadEstimate

running = st.floats(1e-3, 1e3)
speed = st.floats(1e-3, 2)
cost = st.floats(1e-6, 1e-1)
fixed = st.floats(1e-8, 1e-2)


@given(running, speed, cost, fixed)
def test_optimal__any_costs__no_worse_than_its_neighbours(a: float, s: float, k: float, f: float) -> None:
    law = Setting(a, s, k, f)
    best = optimal(law)
    assert 0 <= best.inner <= best.outer
    for inner, outer in ((1.01, 1.0), (0.99, 1.0), (1.0, 1.01), (1.0, 0.99), (0.0, 1.0)):
        if best.inner * inner < best.outer * outer:
            assert averages(law, best.inner * inner, best.outer * outer).cost >= best.cost * (1 - 1e-9)


@given(running, speed, cost)
def test_laws__proportional_cost_only__reflect_beats_centre_beats_calendar(a: float, s: float, k: float) -> None:
    law = Setting(a, s, k, 0.0)
    assert a * reflect(law) ** 2 / 2 <= a * centre(law) ** 2 / 4 <= 0.75 * a * s * s * calendar(law)
    assert optimal(law).inner == optimal(law).outer == pytest.approx(reflect(law))


@given(running, speed, cost, fixed)
def test_optimal__dearer__trades_later(a: float, s: float, k: float, f: float) -> None:
    now, gas, fee = (optimal(Setting(a, s, *costs)) for costs in ((k, f), (k, 2 * f), (2 * k, f)))
    assert gas.inner <= now.inner * (1 + 1e-9)
    assert gas.outer >= now.outer * (1 - 1e-9)
    assert fee.inner >= now.inner * (1 - 1e-9)
    assert fee.outer >= now.outer * (1 - 1e-9)


@given(st.floats(0.2, 2.0), st.floats(0.05, 0.95))
def test_setting__proportional_cost_only__volatility_cancels(sigma: float, weight: float) -> None:
    weights = np.array([weight, 1 - weight])
    widths = [optimal(setting(0, weights, np.diag([v**2, 0.0]), 2.0, (1e-3, 0.0))).outer for v in (sigma, 2 * sigma)]
    assert widths[0] == pytest.approx(widths[1], rel=1e-6)
    assert widths[0] == pytest.approx((3 * 1e-3 * weight**2 * (1 - weight) ** 2 / 4) ** (1 / 3), rel=1e-6)


def test_setting__two_assets__are_the_same_deviation_from_either_side() -> None:
    weights, covariance = np.array([0.3, 0.7]), np.array([[0.64, 0.3], [0.3, 0.49]])
    one, other = (setting(i, weights, covariance, 2.0, (1e-3, 1e-5)) for i in (0, 1))
    assert (one.running, one.speed) == pytest.approx((other.running, other.speed))


def test_averages__simulated_path__agrees() -> None:
    law, inner, outer, steps = Setting(1.0, 0.2, 0.0, 0.0), 0.03, 0.06, 400_000
    dt, rng, x, squares, moved, trades = 1e-5, np.random.default_rng(7), 0.0, 0.0, 0.0, 0
    for dx in 0.2 * np.sqrt(dt) * rng.standard_normal(steps):
        x += dx
        if abs(x) >= outer:
            moved, trades, x = moved + abs(x) - inner, trades + 1, np.sign(x) * inner
        squares += x * x
    expected = averages(law, inner, outer)
    assert squares / steps == pytest.approx(expected.mean_square, rel=0.15)
    assert moved / (steps * dt) == pytest.approx(expected.turnover, rel=0.25)
    assert trades / (steps * dt) == pytest.approx(expected.trades, rel=0.25)


@pytest.mark.parametrize(("goal", "value"), [("rms", 0.02), ("cost", 5e-4), ("trades", 12.0)])
def test_planned__a_goal__is_met(goal: str, value: float) -> None:
    law, band, now = planned(0.2, (1e-3, 1e-5), goal, value)
    met = {"rms": now.rms, "cost": now.cost - law.running * now.mean_square / 2, "trades": now.trades}
    assert set(met) == set(GOALS)
    assert met[goal] == pytest.approx(value, rel=1e-6)
    assert band == optimal(law)


@pytest.mark.parametrize(
    ("costs", "goal", "value"), [((1e-3, 0.0), "trades", 5.0), ((0.0, 0.0), "rms", 0.1), ((1e-3, 0), "sharpe", 1), ((1e-3, 0), "rms", 0)]
)
def test_planned__cannot_be_had__is_refused(costs: tuple[float, float], goal: str, value: float) -> None:
    with pytest.raises(BadEstimate):
        planned(0.2, costs, goal, value)


def test_with_depth__shallow_pool__trades_later_and_less() -> None:
    law = Setting(1.28, 0.2, 1e-3, 1e-5)
    deep, shallow = with_depth(law, 1e9), with_depth(law, 0.5)
    assert (deep.inner, deep.outer) == pytest.approx((optimal(law).inner, optimal(law).outer), rel=1e-6)
    assert shallow.outer > deep.outer
    assert shallow.outer - shallow.inner < deep.outer - deep.inner


@pytest.mark.parametrize("bad", [(0.0, 0.2, 1e-3, 0), (1.0, -0.2, 1e-3, 0), (1.0, float("nan"), 1e-3, 0), (1.0, 0.2, -1e-3, 0)])
def test_setting__impossible_numbers__are_refused(bad: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadEstimate):
        Setting(*bad)


def test_optimal__no_volatility_or_no_cost__is_no_band() -> None:
    assert optimal(Setting(1.0, 0.0, 1e-3, 1e-5)).outer == 0
    assert optimal(Setting(1.0, 0.2, 0.0, 0.0)).outer == 0


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8), st.lists(st.floats(0.01, 1), min_size=8, max_size=8), st.floats(0, 0.2))
def test_by_pairs__any_weights__all_within_and_sum_kept(raw: list[float], wanted: list[float], inner: float) -> None:
    weights = [x / sum(raw) for x in raw]
    target = [x / sum(wanted[: len(raw)]) for x in wanted[: len(raw)]]
    new = by_pairs(weights, target, inner)
    assert max(abs(w - b) for w, b in zip(new, target, strict=True)) <= inner + 1e-9
    assert sum(new) == pytest.approx(1)


def test_to_ray__parts__from_target_to_untouched() -> None:
    assert to_ray([0.7, 0.3], [0.5, 0.5], 0.0) == [0.5, 0.5]
    assert to_ray([0.7, 0.3], [0.5, 0.5], 1.0) == pytest.approx([0.7, 0.3])
