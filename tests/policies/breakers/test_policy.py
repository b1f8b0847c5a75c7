"""Tests of breakers: what closes them, what they do to targets, and that only their way back opens them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from policies.base import Band, Portfolio, Position, Prices, Targets
from policies.breakers.conditions import Condition, Depeg, Disagreement, Jump, Loss, PriceMove, Turbulence
from policies.breakers.policy import Breaker, Guarded, WayBack
from policies.decide import decide, remembered
from policies.drift import BandPolicy, DriftTrigger
from policies.landing import landed
from tests.benchmarks.policies import workloads
from tests.policies.folio import CHAIN, DAY, HOUR, NOW, bands, folio, points, seen, token
from tests.policies.laws_backtest import dying_run

HALF = points(ETH="0.5", USDC="0.5")
AT_ONCE = WayBack()
FALL = PriceMove(Fraction(3, 10), 72 * HOUR, Fraction(1, 10))


def guarded(condition: Condition, action: str, back: WayBack = AT_ONCE, targets: Targets = HALF, **more: frozenset[str]) -> Guarded:
    return Guarded(
        BandPolicy(targets), (Breaker("it", condition, action, back, more.get("assets", frozenset())),), more.get("refuges", frozenset())
    )


def ideal(targets: Targets, asset: str) -> Fraction | None:
    return targets.assets[asset].ideal


def test_no_buy__asset_fell__is_not_bought_and_the_rest_takes_over() -> None:
    fallen = folio({"ETH": "0.3", "USDC": "0.7"}, {"ETH": 60}, [seen(10, ETH=100, USDC=1)])
    targets = guarded(FALL, "no-buy").targets(fallen)
    assert (ideal(targets, "ETH"), ideal(targets, "USDC")) == (Fraction(3, 10), Fraction(7, 10))
    assert targets.closed == {"it/ETH": NOW}
    assert targets.told == ("it: no-buy ETH, 40.0% below its high of 3 d; until the reason is gone",)
    assert DriftTrigger().decide(fallen, targets, None).act is False


def test_no_buy__still_too_much_of_it__may_be_sold() -> None:
    heavy = folio({"ETH": "0.7", "USDC": "0.3"}, {"ETH": 60}, [seen(10, ETH=100, USDC=1)])
    targets = guarded(FALL, "no-buy").targets(heavy)
    assert ideal(targets, "ETH") == Fraction(1, 2)
    assert landed(heavy.asset_weights(), targets).after["ETH"] == Fraction(1, 2)


def test_no_sell__asset_above_its_band__is_kept() -> None:
    rose = PriceMove(Fraction(3, 10), 72 * HOUR, Fraction(1, 10), down=False)
    risen = folio({"ETH": "0.7", "USDC": "0.3"}, {"ETH": 150}, [seen(10, ETH=100, USDC=1)])
    targets = guarded(rose, "no-sell").targets(risen)
    assert landed(risen.asset_weights(), targets).legs == 0


@pytest.mark.parametrize(("off", "closes"), [("0.7", False), ("0.6999", True)])
def test_price_move__exactly_at_the_level__does_not_close(off: str, closes: bool) -> None:
    fallen = folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": off}, [seen(10, ETH=1, USDC=1)])
    assert bool(guarded(FALL, "no-buy").targets(fallen).closed) is closes


def test_price_move__high_outside_the_window__is_forgotten() -> None:
    old = [seen(72, ETH=100, USDC=1), seen(71.9, ETH=61, USDC=1)]
    assert guarded(FALL, "no-buy").targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 60}, old)).closed == {}


def test_way_back__quiet_time__opens_exactly_then() -> None:
    policy = guarded(FALL, "no-buy", WayBack(after=14 * DAY))
    for since, open_ in ((14 * DAY - 1, False), (14 * DAY, True)):
        past = [seen(1, {"it/ETH": NOW - since}, ETH=100, USDC=1)]
        assert (policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 100}, past)).closed == {}) is open_


def test_way_back__calm__needs_the_inner_level() -> None:
    policy = guarded(FALL, "no-buy", WayBack(calm=True))
    past = [seen(20, ETH=100, USDC=1), seen(1, {"it/ETH": NOW - 3600}, ETH=75, USDC=1)]
    assert policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 85}, past)).closed == {"it/ETH": NOW - 3600}
    assert policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 90}, past)).closed == {}


@pytest.mark.parametrize(("reopened", "open_"), [(None, False), (NOW - 7200, False), (NOW - 3600, False), (NOW - 3599, True)])
def test_way_back__owner__only_a_later_word_opens(reopened: int | None, open_: bool) -> None:
    policy = guarded(FALL, "freeze", WayBack(owner=True, reopened=reopened))
    past = [seen(1, {"it/ETH": NOW - 3600}, ETH=100, USDC=1)]
    assert (policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 100}, past)).closed == {}) is open_


def test_way_back__long_silence_of_the_process__does_not_open_an_owners_breaker() -> None:
    policy = guarded(FALL, "freeze", WayBack(owner=True))
    past = [seen(5000, {"it/ETH": NOW - 5000 * HOUR}, ETH=100, USDC=1)]
    assert policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 100}, past)).closed != {}


def test_missing_price__closed_breakers__stay_closed() -> None:
    policy = guarded(FALL, "no-buy", WayBack(after=1))
    blind = replace(folio({"ETH": "0.5", "USDC": "0.5"}, {}, [seen(9, {"it/ETH": NOW - DAY}, ETH=1, USDC=1)]), prices=Prices({}))
    targets = policy.targets(blind)
    assert targets.closed == {"it/ETH": NOW - DAY}
    assert targets.assets == HALF.assets


def test_depeg__stable_off_its_peg__goes_to_the_refuge_only() -> None:
    three = points(ETH="0.2", USDC="0.4", DAI="0.4")
    policy = guarded(
        Depeg({"USDC": Fraction(1)}, Fraction(2, 100), Fraction(1, 200)), "reduce-only", targets=three, refuges=frozenset({"DAI"})
    )
    off = folio({"ETH": "0.2", "USDC": "0.3", "DAI": "0.5"}, {"USDC": "0.8"})
    targets = policy.targets(off)
    assert (ideal(targets, "ETH"), ideal(targets, "USDC"), ideal(targets, "DAI")) == (Fraction(2, 10), Fraction(3, 10), Fraction(5, 10))


@pytest.mark.parametrize(("price", "closes"), [("0.98", False), ("0.9799", True), ("1.02", False), ("1.0201", True)])
def test_depeg__either_side__closes_beyond_the_tolerance(price: str, closes: bool) -> None:
    policy = guarded(Depeg({"USDC": Fraction(1)}, Fraction(2, 100), Fraction(1, 200)), "no-buy")
    assert bool(policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"USDC": price})).closed) is closes


def test_disagreement__sources_apart__freezes_that_asset() -> None:
    apart = folio({"ETH": "0.6", "USDC": "0.4"})
    prices = {a: replace(p, spread=Fraction(3, 100) if a == "ETH" else Fraction(0)) for a, p in apart.prices.by_asset.items()}
    targets = guarded(Disagreement(Fraction(1, 100), Fraction(1, 200)), "freeze").targets(replace(apart, prices=Prices(prices)))
    assert landed(apart.asset_weights(), targets).legs == 0
    assert list(targets.closed) == ["it/ETH"]


def test_loss__rolling_window__counts_present_holdings_at_past_prices() -> None:
    policy = guarded(Loss(Fraction(15, 100), DAY, Fraction(5, 100)), "freeze")
    held = {"ETH": "0.5", "USDC": "0.5"}  # 0.5 M at 60 were 0.833 M at 100: a loss of a quarter
    assert policy.targets(folio(held, {"ETH": 60}, [seen(23, ETH=100, USDC=1)])).closed == {"it/*": NOW}
    assert policy.targets(folio(held, {"ETH": 60}, [seen(24, ETH=100, USDC=1), seen(23, ETH=61, USDC=1)])).closed == {}


def test_turbulence__wild_prices__no_buy_until_calm() -> None:
    wild = [seen(h, ETH=100 + 5 * (h % 2), USDC=1) for h in range(24, 0, -1)]
    policy = guarded(Turbulence(Fraction(2), DAY, Fraction(1)), "no-buy")
    assert policy.targets(folio({"ETH": "0.4", "USDC": "0.6"}, {"ETH": 100}, wild)).closed == {"it/ETH": NOW}
    tame = [seen(h, ETH=100, USDC=1) for h in range(24, 0, -1)]
    assert policy.targets(folio({"ETH": "0.4", "USDC": "0.6"}, {"ETH": 100}, tame)).closed == {}


@pytest.mark.parametrize("tick", ["0.2", "3.99"])
def test_bad_tick__for_a_dollar__changes_nothing(tick: str) -> None:
    policy = guarded(Jump(Fraction(3, 10)), "freeze")
    ticked = folio({"ETH": "0.6", "USDC": "0.4"}, {"USDC": tick}, [seen(1, ETH=1, USDC=1)])
    units = folio({"ETH": "0.6", "USDC": "0.4"}).positions
    ticked = replace(ticked, positions=units)
    targets, decision = decide(policy, DriftTrigger(), ticked, None)
    assert (decision.act, landed(ticked.asset_weights(), targets).legs) == (False, 0)
    after = remembered(ticked.past, ticked, targets)
    assert after[-1].prices == {"ETH": 1}
    calm = replace(folio({"ETH": "0.6", "USDC": "0.4"}, time=NOW + HOUR), past=after)
    assert policy.targets(calm).closed == {}


def test_jump__confirmed_by_the_next_turn__is_believed() -> None:
    policy = guarded(Jump(Fraction(3, 10)), "freeze")
    past = [seen(2, ETH=100, USDC=1), seen(1, {"it/*": NOW - HOUR}, {"ETH": Fraction(55)}, USDC=1)]
    assert policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 54}, past)).closed == {}
    assert policy.targets(folio({"ETH": "0.5", "USDC": "0.5"}, {"ETH": 20}, past)).closed == {"it/*": NOW}


def test_freeze_all__chains_too__nothing_is_due() -> None:
    held = folio({"ETH": "0.9", "USDC": "0.1"}, {"ETH": 60}, [seen(1, ETH=100, USDC=1)])
    wanted = replace(HALF, chains={CHAIN: Band(None, None, Fraction(1, 10))})
    targets = guarded(Loss(Fraction(1, 100), DAY, Fraction(0)), "freeze", targets=wanted).targets(held)
    assert DriftTrigger().decide(held, targets, None).act is False


def test_breaker__unknown_action__is_refused() -> None:
    with pytest.raises(ValueError, match=r'"panic" is no action; allowed: no-buy, no-sell, reduce-only, freeze'):
        Breaker("it", FALL, "panic")


def test_breaker__for_named_assets__leaves_others_alone() -> None:
    fallen = folio({"ETH": "0.3", "USDC": "0.7"}, {"ETH": 60}, [seen(10, ETH=100, USDC=1)])
    assert guarded(FALL, "no-buy", assets=frozenset({"USDC"})).targets(fallen).closed == {}


def test_outer_bands__breaker_closed__move_with_their_ideal() -> None:
    wanted = replace(bands("0.02", ETH="0.5", USDC="0.5"), outer=bands("0.05", ETH="0.5", USDC="0.5").assets)
    targets = guarded(FALL, "no-buy", targets=wanted).targets(folio({"ETH": "0.3", "USDC": "0.7"}, {"ETH": 60}, [seen(9, ETH=100, USDC=1)]))
    assert targets.outer["USDC"] == Band(Fraction(65, 100), Fraction(7, 10), Fraction(75, 100))
    assert targets.assets["USDC"] == Band(Fraction(68, 100), Fraction(7, 10), Fraction(72, 100))


@pytest.mark.parametrize("seed", range(1, 4))
def test_dying_asset__breaker__keeps_nine_tenths_of_holding(seed: int) -> None:
    panel = workloads.dying(seed, bars=620)
    hold = float((panel.prices[-1] / panel.prices[0]).mean())
    guarded_run, plain = dying_run(panel, (Fraction(3, 10), 72)), dying_run(panel, None)
    assert guarded_run.values[-1] >= 0.9 * hold
    assert plain.values[-1] < 0.8 * hold


def test_portfolio__of_one_dead_asset__does_not_fail() -> None:
    only = Portfolio((Position(token("ETH"), 0),), folio({"ETH": 1}).prices, NOW)
    assert guarded(FALL, "no-buy").targets(only).closed == {}
