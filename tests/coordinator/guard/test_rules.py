"""Tests of the guard's rules: each at its boundary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.base import Lane, Leg, Quote
from chains.ids import AccountId, TokenId
from chains.tokens import Amount, Token
from coordinator.config.treasury import Treasury
from coordinator.guard import Objection, objections
from coordinator.guard.rules import RULES
from coordinator.plan import Cost, Plan, PlannedLeg
from policies.base import Portfolio, Price
from tests.coordinator.guard.cases import NOW, TREASURY, WORTH, amount, bridge, leg, plan, portfolio, prices, token


def judged(made: Plan, now: Portfolio | None = None, spent: int | Fraction = 0, treasury: Treasury = TREASURY) -> tuple[Objection, ...]:
    return objections(made, now or portfolio(), treasury, Fraction(spent))


def rules(made: Plan, **how: Any) -> list[str]:
    return [objection.rule for objection in judged(made, **how)]


def test_objections__honest_plan__none() -> None:
    assert judged(plan(bridge())) == ()


def test_objections__empty_plan__none() -> None:
    assert judged(plan(), spent=10**9) == ()


def test_objection__as_text__reads_rule_subject_found_limit_mend() -> None:
    (objection,) = judged(plan(bridge(rail="cctpp")))
    assert str(objection) == (
        'rail: leg 1 (cctpp, alpha.USDC to beta.USDC): "cctpp" is not configured; allowed: cctp; add it to rails, or plan again'
    )


STRANGER = AccountId(token("beta.USDC").chain, "0x2222222222222222222222222222222222222222")


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"recipient": STRANGER}, "recipient"),
        ({"recipient": TREASURY.accounts[token("alpha.USDC").chain]}, "recipient"),  # our address, but on another chain
        ({"sender": AccountId(token("alpha.USDC").chain, STRANGER.address)}, "sender"),
        ({"id": "1"}, "leg"),
        ({"id": "G" * 32}, "leg"),
        ({"gives": amount("alpha.USDC", "999")}, "leg"),  # not what was quoted
        ({"gives": amount("beta.USDC", "1_000")}, "leg"),
        ({"least": amount("beta.USDC", "0")}, "leg"),
        ({"least": amount("sol.USDC", "999")}, "leg"),
        ({"deadline": NOW}, "deadline"),
        ({"deadline": NOW + 86401}, "deadline"),
    ],
)
def test_objections__leg_changed_in_one_thing__names_the_rule(changed: dict[str, Any], rule: str) -> None:
    made = bridge()
    assert rule in rules(plan(replace(made, leg=replace(made.leg, **changed))))


@pytest.mark.parametrize("deadline", [NOW + 1, NOW + 86400])
def test_deadline__first_and_last_moment__allowed(deadline: int) -> None:
    assert judged(plan(bridge(deadline=deadline))) == ()


def test_objections__quote_of_another_lane__refused() -> None:
    made = bridge()
    assert rules(plan(replace(made, quote=replace(made.quote, lane=replace(made.quote.lane, id="other"))))) == ["leg"]


def test_objections__free_of_charge__allowed() -> None:
    assert judged(plan(bridge(fee="0"))) == ()


def test_objections__same_leg_twice__refused() -> None:
    assert rules(plan(bridge(), bridge())) == ["leg"]


def test_objections__negative_fee__refused() -> None:
    made = leg(amount("alpha.USDC", "100"), amount("beta.USDC", "100"), fees=(Amount(token("alpha.ETH"), -1),))
    assert rules(plan(made)) == ["leg"]


@pytest.mark.parametrize(("now", "allowed"), [(NOW + 900, True), (NOW + 901, False)])
def test_deadline__plan__in_force_up_to_and_including_its_end(now: int, allowed: bool) -> None:
    fresh = replace(prices(), by_asset={a: Price(a, v, now, ()) for a, v in WORTH.items()})
    assert rules(plan(bridge(deadline=NOW + 2000)), now=portfolio(fresh, now)) == ([] if allowed else ["deadline"])


def test_config__changed_since__refused() -> None:
    assert rules(plan(bridge(), config="0" * 64)) == ["config"]
    assert rules(plan(bridge(), treasury="other")) == ["config"]


def test_token__unknown_on_either_side__refused() -> None:
    look_alike = Token(TokenId(token("beta.USDC").chain, "erc20", "0x3333333333333333333333333333333333333333"), "USDC", 6)
    assert "token" in rules(plan(leg(amount("alpha.USDC", "10"), Amount(look_alike, 10_000_000))))
    assert "token" in rules(plan(leg(Amount(look_alike, 10_000_000), amount("alpha.USDC", "10"))))


def test_token__with_other_decimals__refused() -> None:
    inflated = replace(token("beta.USDC"), decimals=18)
    assert rules(plan(leg(amount("alpha.USDC", "10"), Amount(inflated, 10**19)))) == ["token"]


def test_chain__not_configured__refused() -> None:
    far = Token(TokenId.parse("eip155:7/erc20:0x3333333333333333333333333333333333333333"), "USDC", 6)
    made = leg(amount("alpha.USDC", "10"), amount("beta.USDC", "10"))
    lane = replace(made.leg.lane, target=far)
    moved = replace(made, leg=replace(made.leg, lane=lane, least=Amount(far, 10**7), recipient=AccountId(far.chain, STRANGER.address)))
    found = {objection.rule: objection for objection in judged(plan(moved))}
    assert {"chain", "token", "recipient"} <= set(found)
    assert found["recipient"].limit == "nothing: there is no account on eip155:7"


@pytest.mark.parametrize(("gives", "broken"), [("5_000", []), ("5_000.000001", ["per_leg"])])
def test_per_leg__value_given__at_the_cap_allowed(gives: str, broken: list[str]) -> None:
    assert rules(plan(bridge(gives, gives))) == broken


@pytest.mark.parametrize(("third", "broken"), [("1_000", []), ("1_000.01", ["per_turn"])])
def test_per_turn__summed_over_legs__at_the_cap_allowed(third: str, broken: list[str]) -> None:
    legs = [bridge(gives, gives, id=f"{n:032x}") for n, gives in enumerate(["5_000", "4_000", third])]
    assert rules(plan(*legs), now=portfolio(alpha_USDC="20_000")) == broken


@pytest.mark.parametrize(("spent", "broken"), [(Fraction(24_000), []), (Fraction(24_000) + Fraction(1, 10**9), ["per_day"])])
def test_per_day__with_what_was_spent__at_the_cap_allowed(spent: Fraction, broken: list[str]) -> None:
    assert rules(plan(bridge("1_000", "1_000")), spent=spent) == broken


@pytest.mark.parametrize(("least", "broken"), [("995", []), ("994.999999", ["min_out"])])
def test_min_out__least_against_own_prices__at_the_slippage_allowed(least: str, broken: list[str]) -> None:
    assert rules(plan(bridge(least=amount("beta.USDC", least)))) == broken


def test_min_out__quote_far_below_own_price__refused_though_it_meets_its_quote() -> None:
    swap = leg(amount("alpha.WETH", "1"), amount("alpha.USDC", "2_000"))
    assert "min_out" in rules(plan(swap))
    assert rules(plan(leg(amount("alpha.WETH", "1"), amount("alpha.USDC", "2_985")))) == []


@pytest.mark.parametrize(("takes", "broken"), [("4_983", []), ("4_982.999999", ["cost"])])
def test_cost__of_legs_and_fees__at_the_cap_allowed(takes: str, broken: list[str]) -> None:
    assert rules(plan(bridge("5_000", takes, fee="0.001"))) == broken  # 17 kept by the bridge, 3 for the network


def test_cost__quote_too_good_to_be_true__hides_nothing_of_another_leg() -> None:
    dear, dream = bridge("1_000", "979", least=amount("beta.USDC", "995")), bridge("1_000", "2_000", id="0" * 32)
    assert rules(plan(dear, dream)) == ["cost"]


def test_cost__as_the_plan_says__also_counts() -> None:
    assert rules(plan(bridge(), cost=Cost(Fraction(21), Fraction(0), Fraction(0)))) == ["cost"]


@pytest.mark.parametrize("asset", ["USDC", "ETH"])
def test_price__refused_for_what_moves_or_pays_fees__refused(asset: str) -> None:
    found = judged(plan(bridge()), portfolio(prices(**{asset: None})))
    assert [(o.rule, o.subject, o.found) for o in found] == [("price", asset, "has no price: sources disagree")]


@pytest.mark.parametrize("asset", ["USDC", "ETH"])
def test_price__refused_for_one_side_of_a_swap__refused_and_nothing_guessed(asset: str) -> None:
    swap = leg(amount("alpha.WETH", "1"), amount("alpha.USDC", "3_000"))
    assert rules(plan(swap), now=portfolio(prices(**{asset: None}))) == ["price"]


def test_price__refused_for_an_asset_that_stays__does_not_matter() -> None:
    assert judged(plan(bridge()), portfolio(prices(SOL=None))) == ()


@pytest.mark.parametrize(("age", "broken"), [(3600, []), (3601, ["price"])])
def test_price__age__up_to_and_including_the_limit(age: int, broken: list[str]) -> None:
    seen = prices()
    old = replace(seen, by_asset={**seen.by_asset, "ETH": replace(seen.by_asset["ETH"], time=NOW - age)})
    assert rules(plan(bridge()), now=portfolio(old)) == broken


@pytest.mark.parametrize(("value", "broken"), [("0.99", []), ("0.9899", ["depeg"]), ("1.01", []), ("1.0101", ["depeg"])])
def test_depeg__both_sides__up_to_and_including_the_tolerance(value: str, broken: list[str]) -> None:
    assert rules(plan(bridge("100", "100")), now=portfolio(prices(USDC=value))) == broken


@pytest.mark.parametrize(("held", "broken"), [("0.051", []), ("0.050999999999999999", ["gas_floor"])])
def test_gas_floor__after_own_fees__at_the_floor_allowed(held: str, broken: list[str]) -> None:
    assert rules(plan(bridge()), now=portfolio(alpha_ETH=held)) == broken


def test_gas_floor__below_already_but_not_spent__is_not_this_plans_fault() -> None:
    made = leg(amount("beta.USDC", "10"), amount("alpha.USDC", "10"), fees=(amount("beta.ETH", "0.001"),))
    assert judged(plan(made), portfolio(alpha_ETH="0")) == ()


def test_gas_floor__objection__names_the_setting() -> None:
    (objection,) = judged(plan(bridge()), portfolio(alpha_ETH="0.0505"))
    assert (objection.subject, objection.found, objection.limit, objection.how_to_mend) == (
        "alpha.ETH",
        "falls to 0.0495 ETH with the plan's own fees",
        "0.05 ETH or more",
        "top up alpha.ETH, or lower chains.alpha.gas_floor",
    )


def test_balance__gives_more_than_is_free__refused() -> None:
    assert rules(plan(bridge("1_000", "1_000")), now=portfolio(alpha_USDC="999.999999")) == ["balance"]
    promised = portfolio()
    positions = tuple(replace(p, leaving=5_001 * 10**6) if p.token == token("alpha.USDC") else p for p in promised.positions)
    assert rules(plan(bridge()), now=replace(promised, positions=positions)) == ["balance"]


def test_balance__dips_below_zero_and_recovers__refused() -> None:
    swap = leg(amount("alpha.WETH", "1"), amount("alpha.USDC", "3_000"), id="0" * 32)
    first, last = bridge("100", "100"), bridge("100", "100", id="f" * 32)
    assert rules(plan(first, swap, last), now=portfolio(alpha_USDC="0")) == ["balance"]


def test_balance__second_leg_spends_what_the_first_delivers__counted_at_its_least() -> None:
    swap = leg(amount("alpha.WETH", "1"), amount("alpha.USDC", "3_000"), least=amount("alpha.USDC", "2_990"), id="0" * 32)
    onward = bridge("2_990", "2_990")
    poor = portfolio(alpha_USDC="0")
    assert rules(plan(swap, onward), now=poor) == []
    assert rules(plan(onward, swap), now=poor) == ["balance"]
    assert rules(plan(swap, bridge("2_990.01", "2_990.01")), now=poor) == ["balance"]


def test_objections__several_rules_at_once__all_are_told() -> None:
    bad = bridge("5_001", "4_000", recipient=STRANGER, rail="x", deadline=NOW)
    assert set(rules(plan(bad, config="0" * 64), spent=25_000)) == {
        "config",
        "deadline",
        "recipient",
        "rail",
        "per_leg",
        "per_day",
        "cost",
        "min_out",
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rules__plan_in_worthless_foreign_tokens__none_fails_by_accident(rule: Callable[..., Any]) -> None:
    far = Token(TokenId.parse("eip155:7/erc20:0x3333333333333333333333333333333333333333"), "DUST", 0)
    stranger = AccountId(far.chain, STRANGER.address)
    lane = Lane("x", "x", far, far)
    quote = Quote(lane, Amount(far, 1), Amount(far, 1), (Amount(far, 1),), 0, 0, 0)
    made = plan(PlannedLeg(Leg("", lane, Amount(far, 1), Amount(far, 1), stranger, stranger, 0), quote, (), ""))
    assert {"price", "token", "chain", "rail", "recipient", "sender", "leg", "deadline"} == set(rules(made))


@given(gives=st.integers(1, 6_000 * 10**6), least=st.integers(1, 6_000 * 10**6), spent=st.integers(0, 26_000), value=st.integers(980, 1020))
def test_objections__none__means_every_limit_holds(gives: int, least: int, spent: int, value: int) -> None:
    price = Fraction(value, 1000)
    made = leg(Amount(token("alpha.USDC"), gives), Amount(token("beta.USDC"), least))
    found = judged(plan(made), portfolio(prices(USDC=price)), spent)
    worth, limits = Fraction(gives, 10**6) * price, TREASURY.limits
    holds = (
        worth <= limits.per_leg
        and spent + worth <= limits.per_day
        and least >= gives * (1 - limits.slippage)
        and worth - Fraction(least, 10**6) * price <= limits.cost
        and abs(price - 1) <= Fraction(1, 100)
    )
    assert (found == ()) is holds
