"""Tests of the backtest: fast and exact decide the same, delays and missing prices are as live, tearsheets add up."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from policies.backtest.fast import Edges, backtest, edges_of, jump, land, point_targets, tracking_of
from policies.backtest.run import Run, Terms, run
from policies.backtest.tearsheet import tearsheet
from policies.base import Band, Targets
from policies.cost_bands import CostBands, Costs
from policies.decide import Record, decide, memory_of, recalled, remembered, replayed
from policies.drift import BandPolicy, DriftTrigger, IntervalTrigger
from policies.landing import landed
from policies.panel import BadPrices, Panel, panel
from policies.risk.model import ObservedRisk
from tests.benchmarks.policies import workloads

COSTS = Terms(value=Fraction(10_000), proportional=Fraction(1, 1000), per_leg=Fraction(1, 2), entry=True)
WANTED = {"A00": Fraction(1, 2), "A01": Fraction(3, 10), "A02": Fraction(2, 10)}


def two_bands(inner: str, outer: str) -> Targets:
    width = Fraction(inner)
    started = point_targets(WANTED, Fraction(outer))
    return replace(started, assets={asset: Band(ideal - width, ideal, ideal + width) for asset, ideal in WANTED.items()})


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("inner", "outer"), [("0", "0.04"), ("0.02", "0.04"), ("0.04", "0.04")])
def test_backtest__fast_and_exact__identical_decisions(seed: int, inner: str, outer: str) -> None:
    prices = workloads.synthetic(3, 250, seed, workloads.DAYS)
    policy = BandPolicy(two_bands(inner, outer))
    exact, fast = run(prices, policy, DriftTrigger(), COSTS), backtest(prices, policy, DriftTrigger(), COSTS)
    assert fast.closest is not None
    assert [trade.bar for trade in fast.trades] == [trade.bar for trade in exact.trades]
    assert len(fast.trades) > 2
    assert [trade.legs for trade in fast.trades] == [trade.legs for trade in exact.trades]
    assert fast.values == pytest.approx(exact.values, rel=1e-12)
    assert tracking_of(fast) == pytest.approx(tracking_of(exact), abs=1e-14)
    for one, other in zip(fast.trades, exact.trades, strict=True):
        assert one.after == pytest.approx(other.after, abs=1e-12)
        assert (one.turnover, one.proportional, one.fixed) == pytest.approx((other.turnover, other.proportional, other.fixed), rel=1e-9)


def test_backtest__bar_on_the_knife_edge__is_decided_exactly() -> None:
    prices = panel([0, 1, 2], ["A", "B"], np.array([[1.0, 1.0], [1.5, 1.0], [1.0, 1.0]]))  # weight is exactly 60 %
    policy = BandPolicy(point_targets({"A": Fraction(1, 2), "B": Fraction(1, 2)}, Fraction(1, 10)))
    found = backtest(prices, policy, DriftTrigger(), Terms())
    assert found.closest is None  # the fast way gave up
    assert len(found.trades) == 0  # equal is inside


@pytest.mark.parametrize("seed", range(20))
def test_land__floats__as_exact_landing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.dirichlet(np.ones(5))
    ideal, width = rng.dirichlet(np.ones(5)), rng.uniform(0, 0.05, 5)
    edges = Edges(ideal, ideal, ideal - width, ideal + width, ideal)
    targets = Targets({str(i): Band(Fraction(ideal[i] - width[i]), Fraction(ideal[i]), Fraction(ideal[i] + width[i])) for i in range(5)})
    exact = landed({str(i): Fraction(w) for i, w in enumerate(before)}, targets)
    assert land(before, edges) == pytest.approx([float(w) for w in exact.after.values()], abs=1e-12)


def test_backtest__prices_scaled__nothing_changes() -> None:
    prices = workloads.synthetic(3, 400, 5, workloads.DAYS)
    scaled = panel(prices.times, prices.assets, prices.prices * np.array([1000.0, 0.001, 7.0]))
    policy = BandPolicy(two_bands("0.01", "0.04"))
    one, other = (backtest(p, policy, DriftTrigger(), COSTS) for p in (prices, scaled))
    assert [t.bar for t in one.trades] == [t.bar for t in other.trades]
    assert one.values == pytest.approx(other.values, rel=1e-9)


def test_backtest__value_and_fixed_cost_scaled_together__nothing_changes() -> None:
    prices, policy = workloads.synthetic(3, 400, 5, workloads.DAYS), BandPolicy(two_bands("0.01", "0.04"))
    bigger = replace(COSTS, value=COSTS.value * 100, per_leg=COSTS.per_leg * 100)
    one, other = (backtest(prices, policy, DriftTrigger(), terms) for terms in (COSTS, bigger))
    assert one.values * 100 == pytest.approx(other.values, rel=1e-12)


def test_backtest__bar_without_a_price__decides_nothing_and_is_told() -> None:
    holed = np.array([[1.0, 1.0], [3.0, np.nan], [1.0, 1.0], [3.0, 1.0]])
    policy = BandPolicy(point_targets({"A": Fraction(1, 2), "B": Fraction(1, 2)}, Fraction(1, 10)))
    for found in (
        run(panel([0, 1, 2, 3], ["A", "B"], holed), policy, DriftTrigger(), Terms()),
        backtest(panel([0, 1, 2, 3], ["A", "B"], holed), policy, DriftTrigger(), Terms()),
    ):
        assert found.blind == (1,)
        assert [trade.time for trade in found.trades] == [3]


def test_backtest__vanished_asset__no_more_decisions() -> None:
    gone = np.array([[1.0, 1.0], [1.0, 1.0], [9.0, np.nan], [9.0, np.nan]])
    policy = BandPolicy(point_targets({"A": Fraction(1, 2), "B": Fraction(1, 2)}, Fraction(1, 10)))
    found = backtest(panel([0, 1, 2, 3], ["A", "B"], gone), policy, DriftTrigger(), Terms())
    assert (found.blind, len(found.trades)) == ((2, 3), 0)
    assert tearsheet("gone", found)["unpriced_bars"] == 2


def test_backtest__first_bar_without_a_price__is_refused() -> None:
    late = panel([0, 1], ["A", "B"], np.array([[1.0, np.nan], [1.0, 1.0]]))
    with pytest.raises(BadPrices, match="B has no price at the first bar"):
        run(late, BandPolicy(point_targets({"A": Fraction(1, 2), "B": Fraction(1, 2)}, Fraction(1, 10))), DriftTrigger(), Terms())


def test_backtest__one_asset__holds() -> None:
    only = panel([0, 86_400], ["A"], np.array([[1.0], [2.0]]))
    found = backtest(only, BandPolicy(point_targets({"A": Fraction(1)}, Fraction(1, 10))), DriftTrigger(), Terms(value=Fraction(100)))
    assert (found.values.tolist(), len(found.trades)) == ([100.0, 200.0], 0)
    assert tearsheet("one", found)["tracking_error"] == 0.0


def test_backtest__calendar__trades_at_its_interval() -> None:
    prices = workloads.synthetic(3, 100, 1, workloads.DAYS)
    points = Targets({asset: Band(ideal, ideal, ideal) for asset, ideal in WANTED.items()})
    found = backtest(prices, BandPolicy(points), IntervalTrigger(7 * 86_400), Terms(start=WANTED))
    assert {b.bar - a.bar for a, b in pairwise(found.trades)} == {7}


def test_backtest__delay__sells_now_buys_at_later_prices() -> None:
    moves = panel([0, 10, 20, 30], ["A", "B"], np.array([[1.0, 1.0], [2.0, 1.0], [2.0, 2.0], [2.0, 2.0]]))
    policy = BandPolicy(point_targets({"A": Fraction(1, 2), "B": Fraction(1, 2)}, Fraction(1, 10)))
    found = run(moves, policy, DriftTrigger(), Terms(value=Fraction(100), delay=10))
    # at 10: A 100, B 50 -> sells 25 of A; they buy B at 20, when B costs twice as much: 12.5 units instead of 25
    assert found.trades[0].bar == 1
    assert found.values.tolist() == [100.0, 150.0, 75 + 100 + 25, 75 + 100 + 25]


def test_backtest__costs_beyond_everything__are_refused() -> None:
    moves = panel([0, 1], ["A", "B"], np.array([[1.0, 1.0], [3.0, 1.0]]))
    policy = BandPolicy(point_targets({"A": Fraction(1, 2), "B": Fraction(1, 2)}, Fraction(1, 10)))
    with pytest.raises(BadPrices, match="exceed the whole value"):
        run(moves, policy, DriftTrigger(), Terms(value=Fraction(10), per_leg=Fraction(100)))


@pytest.mark.parametrize("bad", [{"value": Fraction(0)}, {"proportional": Fraction(-1)}, {"delay": -1}, {"start": {"A": Fraction(1, 2)}}])
def test_terms__impossible__are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(BadPrices):
        Terms(**bad)  # type: ignore[arg-type]


def test_edges_of__policies_that_look_back__have_no_fast_way() -> None:
    prices = workloads.synthetic(3, 50, 1)
    policy = CostBands(two_bands("0.01", "0.04"), ObservedRisk(3600, 36_000), Fraction(2), Costs(Fraction(1, 1000)))
    assert edges_of(prices, policy, DriftTrigger(), Terms()) is None
    assert edges_of(prices, BandPolicy(two_bands("0.01", "0.04")), IntervalTrigger(5), Terms()) is None


def test_tearsheet__figures__add_up_and_are_json() -> None:
    prices, policy = workloads.synthetic(3, 500, 2, workloads.DAYS), BandPolicy(two_bands("0.01", "0.04"))
    found = backtest(prices, policy, DriftTrigger(), COSTS)
    sheet = json.loads(json.dumps(tearsheet("it", found), allow_nan=False))
    assert sheet["cost"]["entry"] == 10.0
    assert sheet["cost"]["total"] == pytest.approx(10 + sum(t.proportional + t.fixed for t in found.trades))
    assert sheet["legs"] == sum(len([a for a in t.after if t.after[a] != t.before[a]]) for t in found.trades)
    assert sheet["value"]["last"] == found.values[-1] == sheet["nav"][-1][1]
    assert sheet["years"] == pytest.approx(499 / 365.25)
    worst = max(1 - v / max(found.values[: i + 1]) for i, v in enumerate(found.values))
    assert sheet["drawdown"]["share"] == pytest.approx(worst)


def test_tearsheet__single_bar__unknown_is_null() -> None:
    found = backtest(
        panel([0], ["A"], np.ones((1, 1))), BandPolicy(point_targets({"A": Fraction(1)}, Fraction(0))), DriftTrigger(), Terms()
    )
    sheet = tearsheet("one", found)
    assert (sheet["volatility"], sheet["per_year"], sheet["tracking_error"]) == (None, None, None)


def recorded(prices: Panel) -> tuple[CostBands, list[Record]]:
    """A live run, turn by turn, as `turn` does it: decisions on what is seen and remembered, and their records without the past."""
    wide = Targets({asset: Band(None, ideal, None) for asset, ideal in WANTED.items()})
    policy, trigger = (
        CostBands(wide, ObservedRisk(3600 * 24, 3600 * 72, 20), Fraction(50), Costs(Fraction(1, 1000), Fraction(1))),
        DriftTrigger(),
    )
    portfolios: list[Record] = []
    past, last_run = (), None
    for bar in range(len(prices.times)):
        seen = _held(prices, bar)
        past = recalled(past, seen.time, memory_of(policy, trigger))
        targets, decision = decide(policy, trigger, replace(seen, past=past), last_run)
        portfolios.append(Record(seen, last_run, targets, decision))
        past = remembered(past, seen, targets)
        last_run = seen.time if decision.act else last_run
    return policy, portfolios


def _held(prices: Panel, bar: int):  # type: ignore[no-untyped-def]
    from policies.backtest.run import token_of
    from policies.base import Portfolio, Position, Price, Prices

    said = {a: Price(a, v, prices.times[bar], ("x",)) for a, v in prices.exact(bar).items()}
    return Portfolio(tuple(Position(token_of(i, a), 10**24) for i, a in enumerate(prices.assets)), Prices(said), prices.times[bar])


def test_replayed__recorded_live_run__decides_identically() -> None:
    policy, records = recorded(workloads.synthetic(3, 120, 4))
    outcomes = list(replayed(policy, DriftTrigger(), records))
    assert [(targets, decision) for _, targets, decision in outcomes] == [(r.targets, r.decision) for r in records]
    assert {r.decision.act for r in records} == {True, False}


def test_replayed__other_policy__shows_the_difference() -> None:
    policy, records = recorded(workloads.synthetic(3, 60, 4))
    other = replace(policy, aversion=Fraction(5000))
    assert any(targets != record.targets for record, targets, _ in replayed(other, DriftTrigger(), records))


def test_jump__start_weights__are_honoured() -> None:
    prices = workloads.synthetic(3, 50, 1)
    edges = edges_of(prices, BandPolicy(two_bands("0", "0.5")), DriftTrigger(), Terms())
    assert edges is not None
    start = {"A00": Fraction(2, 10), "A01": Fraction(3, 10), "A02": Fraction(5, 10)}
    found: Run = jump(prices, edges, Terms(value=Fraction(100), start=start))
    assert found.values[-1] == pytest.approx(100 * sum(float(w) * prices.prices[-1, i] / 100 for i, w in enumerate(start.values())))
