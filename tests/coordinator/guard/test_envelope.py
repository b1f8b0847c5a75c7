"""Tests of the envelope: what may move between plan and apply, and how far."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridges.base import Quote
from coordinator.guard import Moved, still_holds
from coordinator.plan import Plan
from policies.base import Portfolio
from tests.coordinator.guard.cases import NOW, TREASURY, amount, bridge, plan, portfolio, prices, token


def quotes(made: Plan, **changed: Any) -> dict[str, Quote]:
    return {planned.leg.id: replace(planned.quote, **changed) for planned in made.legs}


def moved(made: Plan, now: Portfolio | None = None, asked: dict[str, Quote] | None = None) -> tuple[Moved, ...]:
    return still_holds(made, now or portfolio(), quotes(made) if asked is None else asked, TREASURY)


def test_still_holds__nothing_moved__nothing_told() -> None:
    assert moved(plan(bridge())) == ()


def test_still_holds__every_input__told_with_before_now_allowed() -> None:
    made = plan(bridge(least=amount("beta.USDC", "998")), config="0" * 64, created=NOW - 901, expires=NOW - 1)
    told = moved(made, portfolio(prices(ETH=3100), alpha_USDC="5_000"), quotes(made, takes=amount("beta.USDC", "970")))
    assert [(m.input, m.subject) for m in told] == [
        ("configuration", "treasury.yaml"),
        ("time", "plan"),
        ("price", "ETH"),
        ("balance", "alpha.USDC"),
        ("quote", "leg 1 (cctp, alpha.USDC to beta.USDC)"),
        ("cost", "plan"),
    ]
    assert str(told[1]) == "time plan: was in force, is expired 1 s ago; allowed: 15 m after it was made"
    assert str(told[2]) == "price ETH: was $3,000, is $3,100 (333.33 bps); allowed: 100 bps either way"
    assert str(told[3]) == "balance alpha.USDC: was 6,000 USDC, is 5,000 USDC; allowed: $20.50 either way"
    assert str(told[4]) == "quote leg 1 (cctp, alpha.USDC to beta.USDC): was 999 USDC, is 970 USDC; allowed: 998 USDC or more"
    assert str(told[5]) == "cost plan: was $0.00, is $33.10; allowed: $20.00"


@pytest.mark.parametrize(("price", "holds"), [("3030", True), ("3030.01", False), ("2970", True), ("2969.99", False)])
def test_still_holds__price__up_to_and_including_the_move(price: str, holds: bool) -> None:
    assert (moved(plan(bridge()), portfolio(prices(ETH=price))) == ()) is holds


def test_still_holds__last_moment_of_the_plan__holds() -> None:
    assert moved(plan(bridge(), expires=NOW)) == ()


def test_still_holds__token_that_was_not_there__moved() -> None:
    before = portfolio()
    made = plan(bridge(), before=replace(before, positions=tuple(p for p in before.positions if p.token != token("beta.USDC"))))
    (told,) = moved(made)
    assert (told.subject, told.before, told.now) == ("beta.USDC", "0 USDC", "1,000 USDC")


def test_still_holds__quote_that_fits_exactly__holds() -> None:
    made = plan(bridge())
    assert moved(made, asked=quotes(made, least=1_000 * 10**6, most=1_000 * 10**6)) == ()
    assert [m.input for m in moved(made, asked=quotes(made, least=1_000 * 10**6 + 1))] == ["quote"]


@pytest.mark.parametrize(("takes", "holds"), [("980", True), ("979.999999", False)])
def test_still_holds__cost__up_to_and_including_the_envelope(takes: str, holds: bool) -> None:
    made = plan(bridge(least=amount("beta.USDC", "900"), fee="0"))
    assert (moved(made, asked=quotes(made, takes=amount("beta.USDC", takes))) == ()) is holds


def test_still_holds__price_gone__moved() -> None:
    (told,) = moved(plan(bridge()), portfolio(prices(ETH=None)))
    assert (told.input, told.now) == ("price", "unknown (sources disagree)")


@pytest.mark.parametrize(("held", "holds"), [("5_979.5", True), ("5_979.499999", False), ("6_020.5", True), ("6_020.500001", False)])
def test_still_holds__balance__up_to_and_including_its_share_of_nav(held: str, holds: bool) -> None:
    assert (moved(plan(bridge()), portfolio(alpha_USDC=held)) == ()) is holds  # NAV 20,500; 10 bps


def test_still_holds__value_in_flight_comes_to_rest__has_not_moved() -> None:
    before = portfolio()
    flying = tuple(replace(p, held=p.held - 100, arriving=100) if p.token == token("beta.USDC") else p for p in before.positions)
    assert moved(plan(bridge(), before=replace(before, positions=flying))) == ()


@pytest.mark.parametrize(("takes", "holds"), [("998", True), ("997.999999", False)])
def test_still_holds__quote__down_to_and_including_the_least(takes: str, holds: bool) -> None:
    made = plan(bridge(least=amount("beta.USDC", "998")))
    assert (moved(made, asked=quotes(made, takes=amount("beta.USDC", takes))) == ()) is holds


def test_still_holds__better_quote__holds() -> None:
    made = plan(bridge())
    assert moved(made, asked=quotes(made, takes=amount("beta.USDC", "1_000"))) == ()


def test_still_holds__lane_without_room_or_quote__moved() -> None:
    made = plan(bridge())
    assert [m.now for m in moved(made, asked=quotes(made, most=999))] == ["takes 0.000001 USDC to 0.000999 USDC"]
    assert [m.now for m in moved(made, asked={})] == ["no quote"]


def test_still_holds__quote_for_another_amount__moved() -> None:
    made = plan(bridge())
    assert [m.input for m in moved(made, asked=quotes(made, gives=amount("alpha.USDC", "500")))] == ["quote"]


@pytest.mark.parametrize(("fee", "holds"), [("0.00633", True), ("0.00634", False)])
def test_still_holds__cost_at_new_fees__up_to_the_envelope(fee: str, holds: bool) -> None:
    made = plan(bridge())
    assert (moved(made, asked=quotes(made, fees=(amount("alpha.ETH", fee),))) == ()) is holds  # 1 kept by the bridge, 19 for the network
