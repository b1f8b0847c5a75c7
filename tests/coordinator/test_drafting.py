"""Drafting: the planner aims a little inside, legs are bounded by our own prices, the plan says what it is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.base import Lane, Quote
from chains.base import Height
from chains.tokens import Amount
from coordinator.clock import SimulatedClock
from coordinator.drafting import Terms, after, draft, instance, least, plan_id
from coordinator.offers import gather
from coordinator.plan import Plan
from policies.base import Band, Portfolio, Position, Price, Prices, Targets, UnitBand
from tests.coordinator.made import ALPHA, BETA, ETH_A, ETH_B, USDC_A, USDC_B, A, B

F = Fraction
CLOCK = SimulatedClock()
LANE = Lane("even/1/2", "even", USDC_A, USDC_B)
FEE = Amount(ETH_A, 10**15)  # three dollars
TERMS = Terms("test", "c", {ALPHA: A, BETA: B}, F(1, 100), ttl=900, start_within=3600)
HEIGHTS = {ALPHA: Height(5, "0x05", 1), BETA: Height(6, "0x06", 1)}


class Even:
    """A rail that keeps a share of what it moves, and never changes its mind between two quotes."""

    name = "even"

    keeps = F(1, 1000)

    def lanes(self) -> list[Lane]:
        return [LANE]

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        takes = gives.units - int(gives.units * self.keeps)
        return Quote(lane, gives, Amount(lane.target, takes), (FEE,), 1, 10**15, 5, {"memo": "x"})


def prices(usdc: str = "1") -> Prices:
    return Prices({"USDC": Price("USDC", F(usdc), 0, ("test",)), "ETH": Price("ETH", F(3_000), 0, ("test",))})


def portfolio(alpha: int = 9_000, beta: int = 1_000) -> Portfolio:
    """Whole USDC, and one ether a chain."""
    positions = (Position(USDC_A, alpha * 10**6), Position(USDC_B, beta * 10**6), Position(ETH_A, 10**18), Position(ETH_B, 10**18))
    return Portfolio(positions, prices(), CLOCK.now())


TARGETS = Targets(
    assets={"USDC": Band(F(1, 2), F(6, 10), F(7, 10))},
    chains={BETA: Band(F(4, 10), None, None)},
    tokens={ETH_A.id: UnitBand(10**17, None)},
)


async def drafted(seen: Portfolio, targets: Targets = TARGETS, rail: Even | None = None, terms: Terms = TERMS) -> Plan:
    rail = rail or Even()
    market = await gather([rail], seen, terms.slippage, CLOCK)
    return await draft(seen, targets, HEIGHTS, market, rails={"even": rail}, terms=terms, clock=CLOCK)


# --- the problem that is solved ---


def bands(margin: Fraction, targets: Targets = TARGETS) -> dict[str, tuple[Fraction | None, Fraction | None]]:
    made = instance(portfolio(), targets, [], replace(TERMS, margin=margin))
    return {band.target: (band.low, band.high) for band in made.bands}


def test_instance__without_margin__bands_are_as_the_owner_wrote_them():
    nav = portfolio().nav
    assert bands(F(0)) == {
        "assets/USDC": (nav / 2, nav * F(7, 10)),
        f"chains/{BETA}": (nav * F(4, 10), None),
        f"tokens/{ETH_A.id}": (F(300), None),
    }


def test_instance__with_margin__weights_are_drawn_in_and_base_units_are_not():
    nav = portfolio().nav
    assert bands(F(1, 1000)) == {
        "assets/USDC": (nav * F(501, 1000), nav * F(699, 1000)),
        f"chains/{BETA}": (nav * F(401, 1000), None),
        f"tokens/{ETH_A.id}": (F(300), None),
    }


@given(st.fractions(0, 1), st.fractions(0, 1), st.fractions(0, 1))
def test_instance__any_margin__narrowed_band_lies_inside_and_is_not_empty(low, high, margin):
    low, high = sorted((low, high))
    made = bands(margin, Targets(assets={"USDC": Band(low, None, high)}))["assets/USDC"]
    assert low <= made[0] / portfolio().nav <= made[1] / portfolio().nav <= high  # type: ignore[operator]


def test_instance__what_is_promised_away__cannot_be_given_and_what_arrives_counts():
    moving = replace(portfolio(), positions=(Position(USDC_A, 900, leaving=300, arriving=50),))
    made = instance(moving, Targets({}), [], TERMS)
    assert (made.held(str(USDC_A.id)), made.start(str(USDC_A.id))) == (600, 650)


# --- the least that may arrive ---


def quoted(gives: int, takes: int) -> Quote:
    return Quote(LANE, Amount(USDC_A, gives), Amount(USDC_B, takes), (), 1, 10**15, 5)


@pytest.mark.parametrize(
    ("takes", "wanted"),
    [(10_000, 9_900), (9_950, 9_900), (10_200, 10_098), (5_000, 9_900)],
    ids=["as our prices say", "a little less", "more: near the quote", "far too little: our prices hold"],
)
def test_least__own_prices_and_quote__the_higher_of_both(takes, wanted):
    assert least(quoted(10_000, takes), prices(), F(1, 100)) == Amount(USDC_B, wanted)


@given(st.integers(1, 10**30), st.integers(0, 10**30), st.fractions(0, 1))
def test_least__any_quote__never_below_what_own_prices_and_slippage_allow(gives, takes, slippage):
    found = least(quoted(gives, takes), prices("0.99"), slippage).units
    assert found >= gives * (1 - slippage)
    assert found >= takes * (1 - slippage)
    assert found < max(gives * (1 - slippage), takes * (1 - slippage)) + 1


def test_least__other_decimals_and_asset__is_in_the_targets_base_units():
    swap = Quote(Lane("x", "x", USDC_A, ETH_A), Amount(USDC_A, 3_000 * 10**6), Amount(ETH_A, 10**18), (), 1, 1, 1)
    assert least(swap, prices(), F(1, 100)).units == 99 * 10**16


# --- the plan ---


async def test_draft__one_chain_below_its_band__one_hop_with_everything_filled_in():
    plan = await drafted(portfolio())
    (planned,) = plan.legs
    leg = planned.leg
    assert (plan.hops, plan.hops_bound, plan.status, plan.violation, plan.unmet) == (1, 1, "optimal", 0, ())
    assert (leg.sender, leg.recipient, leg.terms) == (A, B, {"memo": "x"})
    assert (leg.deadline, plan.expires) == (CLOCK.now() + 3600, CLOCK.now() + 900)
    assert leg.least == least(planned.quote, prices(), F(1, 100))
    assert plan.id == plan_id(plan) != plan_id(replace(plan, expires=plan.expires + 1))
    assert plan.cost.network == 3
    assert plan.cost.bridge == prices().value(planned.quote.gives) - prices().value(planned.quote.takes) > 0
    assert plan.cost.slippage == 0


async def test_draft__its_own_quotes__end_inside_the_owners_bands():
    plan = await drafted(portfolio())
    weights = after(plan)
    assert TARGETS.chains[BETA].holds(weights.chain_weights()[BETA])
    assert TARGETS.assets["USDC"].holds(weights.asset_weights()["USDC"])


async def test_draft__inside_every_band__is_empty():
    plan = await drafted(portfolio(5_000, 5_000))
    assert (plan.legs, plan.hops_bound, plan.violation) == ((), 0, 0)


class Generous(Even):
    keeps = F(-1, 100)


async def test_draft__nothing_can_be_mended_and_a_quote_above_our_price__is_left_alone():
    hopeless = Targets({"ETH": Band(F(9, 10), None, None)})
    plan = await drafted(portfolio(), hopeless, rail=Generous())
    assert plan.legs == ()
    assert [one.target for one in plan.unmet] == ["assets/ETH"]


async def test_draft__inside_every_band_and_a_quote_above_our_price__is_left_alone():
    seen = portfolio(alpha=5_000, beta=6_000)
    assert len((await drafted(portfolio(), rail=Generous())).legs) == 1, "the lane would be used where a band needs it"
    plan = await drafted(seen, rail=Generous())
    assert (plan.legs, plan.violation, plan.hops_bound, plan.status) == ((), 0, 0, "optimal")


async def test_draft__a_dollar_short_and_dearer_to_mend__is_left_with_its_reason():
    seen = portfolio(alpha=8_000, beta=3_000)
    low = (seen.chain_weights()[BETA] * seen.nav + 1) / seen.nav  # the hop's fee is three dollars
    plan = await drafted(seen, Targets({}, chains={BETA: Band(low, None, None)}))
    assert (plan.legs, plan.violation, plan.hops_bound) == ((), 1, 0)
    assert [one.why for one in plan.unmet] == ["mending it costs more than it is short by"]


async def test_draft__something_that_nothing_can_mend__the_rest_still_lands_inside_its_bands():
    nav = portfolio().nav
    hopeless = {"ETH": Band(F(9, 10), None, None)}
    plan = await drafted(portfolio(), replace(TARGETS, assets=hopeless))
    assert [one.target for one in plan.unmet] == ["assets/ETH"]
    assert plan.violation == nav * F(9, 10) - 6_000
    assert after(plan).chain_weights()[BETA] > F(4, 10), "also after the network fee"


async def test_draft__no_lane_can_mend_it__says_by_how_much_and_why():
    rich = Targets(assets={"USDC": Band(F(9, 10), None, None)})
    plan = await drafted(portfolio(), rich)
    nav = portfolio().nav
    assert plan.violation == nav * F(9, 10) - 10_000
    (unmet,) = plan.unmet
    assert unmet.target == "assets/USDC"
    assert unmet.short == plan.violation
    assert unmet.why


async def test_draft__same_world_twice__has_the_same_id_and_legs():
    assert await drafted(portfolio()) == await drafted(portfolio())


async def test_draft__other_heights__has_other_legs():
    plan = await drafted(portfolio())
    heights = {**HEIGHTS, ALPHA: Height(50, "0x50", 1)}
    market = await gather([Even()], portfolio(), TERMS.slippage, CLOCK)
    later = await draft(portfolio(), TARGETS, heights, market, rails={"even": Even()}, terms=TERMS, clock=CLOCK)
    assert {one.leg.id for one in plan.legs}.isdisjoint(one.leg.id for one in later.legs)


async def test_after__fees__are_taken_from_the_native_coin():
    plan = await drafted(portfolio())
    held = {str(position.token): position.held for position in after(plan).positions}
    assert held[str(ETH_A)] == 10**18 - FEE.units
    gave, took = plan.legs[0].quote.gives.units, plan.legs[0].quote.takes.units
    assert held[str(USDC_A)] == 9_000 * 10**6 - gave
    assert held[str(USDC_B)] == 1_000 * 10**6 + took
