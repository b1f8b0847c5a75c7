"""The portfolio: what is held, promised away and on its way, and no number where a balance is not known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from chains.base import Height, Snapshot, Unknown
from chains.errors import Unknowable
from chains.tokens import Amount
from coordinator.portfolio import chains_under_way, portfolio, under_way
from coordinator.saga.machine import LegState, SagaState, State
from policies.base import Price, Prices
from tests.coordinator.made import ALPHA, BETA, ETH_A, USDC_A, USDC_B, A, B, leg

PRICES = Prices({"USDC": Price("USDC", Fraction(1), 0, ("test",)), "ETH": Price("ETH", Fraction(3_000), 0, ("test",))})
TOKENS = {token.id: token for token in (USDC_A, USDC_B, ETH_A)}
HEIGHT = Height(9, "0x09", 9)


def snapshots(usdc: int | Unknown = 5_000) -> list[Snapshot]:
    return [
        Snapshot(ALPHA, HEIGHT, {(A, USDC_A.id): usdc, (A, ETH_A.id): 7}),
        Snapshot(BETA, HEIGHT, {(B, USDC_B.id): 0}),
    ]


def saga(*states: State) -> SagaState:
    legs = [LegState(leg(units=1_000, name=str(number)), (), 990, state) for number, state in enumerate(states)]
    return SagaState("s", "p", {one.leg.id: one for one in legs})


def counts(*sagas: SagaState) -> dict[str, tuple[int, int, int]]:
    seen = portfolio(snapshots(), TOKENS, sagas, PRICES, 0)
    return {str(p.token): (p.held, p.leaving, p.arriving) for p in seen.positions}


def test_portfolio__nothing_under_way__is_what_the_chains_hold():
    assert counts() == {str(ETH_A): (7, 0, 0), str(USDC_A): (5_000, 0, 0), str(USDC_B): (0, 0, 0)}


@pytest.mark.parametrize(
    ("state", "leaving", "arriving"),
    [
        (State.WAITING, 1_000, 990),
        (State.DEPARTING, 1_000, 990),
        (State.IN_TRANSIT, 0, 990),
        (State.CLAIMING, 0, 990),
        (State.DELIVERED, 0, 0),
        (State.REFUNDED, 0, 0),
        (State.ABANDONED, 0, 0),
    ],
)
def test_portfolio__a_leg_under_way__counts_on_the_side_where_its_value_is(state, leaving, arriving):
    found = counts(saga(state))
    assert found[str(USDC_A)] == (5_000, leaving, 0)
    assert found[str(USDC_B)] == (0, 0, arriving)


def test_portfolio__several_legs__add_up():
    found = counts(saga(State.WAITING, State.IN_TRANSIT), saga(State.DEPARTING))
    assert found[str(USDC_A)] == (5_000, 2_000, 0)
    assert found[str(USDC_B)] == (0, 0, 2_970)


def test_portfolio__value_under_way__stays_in_the_nav():
    quiet = portfolio(snapshots(), TOKENS, [], PRICES, 0)
    moving = portfolio(snapshots(4_000), TOKENS, [saga(State.IN_TRANSIT)], PRICES, 0)
    assert quiet.nav - moving.nav == PRICES.value(Amount(USDC_A, 10))  # what the leg is planned to lose


def test_portfolio__a_balance_that_is_not_known__is_no_portfolio():
    with pytest.raises(Unknowable, match=r"could not be read: no answer"):
        portfolio(snapshots(Unknown("no answer")), TOKENS, [], PRICES, 0)


def test_portfolio__held_but_not_configured__is_left_out():
    seen = portfolio(snapshots(), {USDC_A.id: USDC_A}, [], PRICES, 0)
    assert [position.token for position in seen.positions] == [USDC_A]


def test_under_way__only_open_legs__both_ends_and_both_chains():
    assert under_way([saga(State.DELIVERED, State.ABANDONED)]) == frozenset()
    assert under_way([saga(State.CLAIMING)]) == {USDC_A.id, USDC_B.id}
    assert chains_under_way([saga(State.UNDOING)]) == {ALPHA, BETA}


def test_under_way__parked_leg__still_is():
    parked = saga(State.IN_TRANSIT)
    (one,) = parked.legs.values()
    assert under_way([parked.with_leg(replace(one, parked="look"))]) == {USDC_A.id, USDC_B.id}
