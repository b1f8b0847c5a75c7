"""Tests of the band policy, of what is outside its band, and of the triggers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.ids import ChainId, TokenId
from chains.tokens import Token
from policies.base import Band, Portfolio, Position, Price, Prices, Targets, Trigger, UnitBand
from policies.drift import AnyTrigger, BandPolicy, DriftTrigger, IntervalTrigger, drifts, unpriced
from policies.registry import POLICIES, drift_trigger, interval_trigger

NOW = 1_800_000_000
ALPHA, BETA = ChainId("eip155", "1"), ChainId("eip155", "2")
USDC_A = Token(TokenId(ALPHA, "erc20", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDC", 6)
USDC_B = Token(TokenId(BETA, "erc20", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), "USDC", 6)
ETH = Token(TokenId(ALPHA, "slip44", "60"), "ETH", 18)
PRICES = Prices({"USDC": Price("USDC", Fraction(1), NOW, ()), "ETH": Price("ETH", Fraction(2000), NOW, ())})


def portfolio(usdc_a: int = 500, usdc_b: int = 0, eth: Fraction = Fraction(1, 4), prices: Prices = PRICES) -> Portfolio:
    """Whole tokens; by default 1,000 USD, half and half, all on alpha."""
    positions = (Position(USDC_A, usdc_a * 10**6), Position(USDC_B, usdc_b * 10**6), Position(ETH, int(eth * 10**18)))
    return Portfolio(positions, prices, NOW)


def band(low: int | None, high: int | None) -> Band:
    """In percent."""
    return Band(None if low is None else Fraction(low, 100), None, None if high is None else Fraction(high, 100))


def targets(low: int | None = 40, high: int | None = 60) -> Targets:
    return Targets({"USDC": band(low, high)})


def test_policy__any_portfolio__wants_its_bands() -> None:
    assert BandPolicy(targets()).targets(portfolio(usdc_a=1)) == targets()
    assert POLICIES["bands"](targets()).targets(portfolio()) == targets()


@pytest.mark.parametrize(
    ("low", "high", "surplus", "deficit"),
    [
        (40, 60, 0, 0),
        (50, 60, 0, 0),  # on the edge is inside
        (40, 50, 0, 0),
        (51, 60, 0, Fraction(1, 100)),
        (40, 49, Fraction(1, 100), 0),
        (None, 49, Fraction(1, 100), 0),
        (51, None, 0, Fraction(1, 100)),
        (None, None, 0, 0),
    ],
)
def test_drifts__asset__told_only_outside_its_band(low: int | None, high: int | None, surplus: Fraction, deficit: Fraction) -> None:
    found = drifts(portfolio(), targets(low, high))
    assert [(drift.surplus, drift.deficit) for drift in found] == ([(surplus, deficit)] if surplus or deficit else [])


def test_drifts__asset_that_is_not_held__weighs_nothing() -> None:
    found = drifts(portfolio(), Targets({"SOL": band(10, 20)}))
    assert [(d.subject, d.weight, d.deficit) for d in found] == [("SOL", 0, Fraction(1, 10))]


def test_drifts__chain__summed_over_its_tokens() -> None:
    found = drifts(portfolio(usdc_a=250, usdc_b=250), Targets({}, {ALPHA: band(None, 70), BETA: band(25, None)}))
    assert [(d.subject, d.weight, d.surplus) for d in found] == [("eip155:1", Fraction(3, 4), Fraction(1, 20))]


def test_drifts__token_units__told_as_shares_of_nav() -> None:
    wanted = Targets({}, {}, {USDC_B.id: UnitBand(100 * 10**6, None), USDC_A.id: UnitBand(None, 400 * 10**6), ETH.id: UnitBand(1, None)})
    found = {d.subject: d for d in drifts(portfolio(), wanted)}
    assert found[str(USDC_B.id)].deficit == Fraction(1, 10)
    assert found[str(USDC_A.id)].surplus == Fraction(1, 10)
    assert str(ETH.id) not in found


def test_drifts__in_flight__counts_where_it_arrives() -> None:
    moving = portfolio(usdc_a=500)
    moving = replace(
        moving,
        positions=(replace(moving.positions[0], leaving=100 * 10**6), Position(USDC_B, 0, arriving=100 * 10**6), moving.positions[2]),
    )
    assert drifts(moving, Targets({}, {BETA: band(10, None)}, {USDC_A.id: UnitBand(None, 400 * 10**6)})) == ()


def test_drifts__empty_treasury__none() -> None:
    assert drifts(portfolio(usdc_a=0, eth=Fraction(0)), targets()) == ()


def test_drifts__unpriced_asset__is_never_zero() -> None:
    with pytest.raises(KeyError):
        drifts(portfolio(prices=Prices({"ETH": PRICES.by_asset["ETH"]}, {"USDC": "depegged"})), targets())


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 100), st.integers(0, 100))
def test_drifts__any_holding__exactly_one_side_and_exact_distance(usdc: int, eth: int, one: int, other: int) -> None:
    low, high = sorted((one, other))
    held = portfolio(usdc_a=usdc, eth=Fraction(eth, 1000))
    found = drifts(held, targets(low, high))
    weight = Fraction(usdc, usdc + eth * 2) if usdc + eth else None
    if weight is None or Fraction(low, 100) <= weight <= Fraction(high, 100):
        assert found == ()
    else:
        (drift,) = found
        assert (drift.weight, bool(drift.surplus) + bool(drift.deficit)) == (weight, 1)
        assert weight - drift.surplus + drift.deficit in (Fraction(low, 100), Fraction(high, 100))


@pytest.mark.parametrize(("beyond", "acts"), [(Fraction(0), True), (Fraction(9, 1000), True), (Fraction(1, 100), False)])
def test_drift_trigger__some_distance__acts_only_beyond(beyond: Fraction, acts: bool) -> None:
    decision = drift_trigger(beyond).decide(portfolio(), targets(51, 60), None)
    assert decision.act is acts
    assert decision.reason.startswith("USDC is 1.00% of NAV below its band")
    assert [d.subject for d in decision.drifts] == ["USDC"]


def test_drift_trigger__nothing_outside__says_so() -> None:
    decision = DriftTrigger().decide(portfolio(), targets(), None)
    assert (decision.act, decision.reason, decision.drifts) == (False, "every band holds", ())
    assert decision.gates[0].nearest == "USDC down 33.33%, to $0.666667, would bring it to 40.00% of NAV"


def test_drift_trigger__several_drifts__tells_the_worst() -> None:
    decision = DriftTrigger().decide(portfolio(), Targets({"USDC": band(51, 60), "ETH": band(10, 20)}), None)
    assert decision.reason == "ETH is 30.00% of NAV above its band"
    assert len(decision.drifts) == 2


def test_drift_trigger__tiny_drift__is_not_told_as_zero() -> None:
    wanted = Targets({"USDC": Band(Fraction(500_001, 1_000_000), None, None)})
    assert "<0.01% of NAV below" in DriftTrigger().decide(portfolio(), wanted, None).reason


@pytest.mark.parametrize("trigger", [DriftTrigger(), IntervalTrigger(60), AnyTrigger((DriftTrigger(), IntervalTrigger(60)))])
def test_triggers__unpriced_asset__do_not_act(trigger: Trigger) -> None:
    blind = portfolio(prices=Prices({"ETH": PRICES.by_asset["ETH"]}, {"USDC": "depegged"}))
    decision = trigger.decide(blind, targets(51, 60), None)
    assert (decision.act, decision.reason) == (False, "USDC has no price: depegged")
    assert [(gate.name, gate.opens) for gate in decision.gates] == [("prices", False)]
    assert unpriced(portfolio(prices=Prices({}))) == "ETH has no price: not observed; USDC has no price: not observed"


@pytest.mark.parametrize(
    ("last_run", "acts", "reason"),
    [
        (None, True, "no plan was ever applied"),
        (NOW - 3600, True, "3600 s since the last plan, every 3600 s"),
        (NOW - 3599, False, "next in 1 s"),
    ],
)
def test_interval_trigger__time_passed__acts_from_its_moment_on(last_run: int | None, acts: bool, reason: str) -> None:
    decision = interval_trigger(3600).decide(portfolio(), targets(), last_run)
    assert (decision.act, decision.reason) == (acts, reason)


def test_any_trigger__some_act__first_gives_the_reason() -> None:
    trigger = AnyTrigger((DriftTrigger(), IntervalTrigger(3600)))
    assert trigger.decide(portfolio(), targets(), NOW - 7200).reason == "7200 s since the last plan, every 3600 s"
    assert trigger.decide(portfolio(), targets(51, 60), NOW).reason.startswith("USDC is 1.00%")


def test_any_trigger__none_acts__tells_every_reason() -> None:
    decision = AnyTrigger((DriftTrigger(), IntervalTrigger(3600))).decide(portfolio(), targets(), NOW)
    assert (decision.act, decision.reason) == (False, "every band holds; next in 1 h")
    assert [(gate.name, gate.nearest) for gate in decision.gates][1] == ("interval", "at 2027-01-15 09:00:00 UTC")


def test_drift_trigger__outer_band__starts_a_trade_later_than_the_inner_one_stops_it() -> None:
    inner = targets(51, 60)
    assert DriftTrigger().decide(portfolio(), replace(inner, outer={"USDC": band(49, 62)}), None).act is False
    assert DriftTrigger().decide(portfolio(), replace(inner, outer={"USDC": band(50, 62)}), None).act is False  # equal is inside
    assert DriftTrigger().decide(portfolio(), replace(inner, outer={"USDC": Band(Fraction(501, 1000), None, None)}), None).act is True
