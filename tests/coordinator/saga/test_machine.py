"""The transition table: every pair of state and event, and what each event leaves in the fold."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product
from typing import get_args

import pytest

from chains.tokens import Amount
from coordinator.saga.machine import (
    ENDS,
    TABLE,
    Abandoned,
    Arrived,
    ClaimOpened,
    Departed,
    Event,
    Failed,
    Impossible,
    LegState,
    Opened,
    Parked,
    Resumed,
    Returned,
    SagaState,
    Settled,
    Sighted,
    Signed,
    State,
    UndoOpened,
    Voided,
    apply,
    diagram,
)
from tests.coordinator.made import BETA, USDC_A, USDC_B, A, B, call, delivered_to, leg, receipt, submission

LEG = leg()
LANDED = replace(receipt(A, {USDC_A.id: -1_000}), reference=submission().reference)
CAME = delivered_to(B, USDC_B.id, 1_000)
EXAMPLES = (
    Opened(LEG, (call(),)),
    Signed("depart", 0, submission()),
    Voided(submission().reference, "expired"),
    Settled("depart", 0, LANDED),
    Departed(LANDED),
    Failed("depart", "paused"),
    Sighted("attesting", "waits", "0xabc"),
    ClaimOpened((call(BETA),), "0xabc"),
    Arrived(Amount(USDC_B, 1_000), CAME, "0xabc"),
    Returned(Amount(USDC_A, 1_000), LANDED, "0xabc"),
    UndoOpened((call(),)),
    Abandoned("no"),
    Parked("look"),
    Resumed("looked"),
)
# Written out again by hand, so that a slip in the table does not go with a slip in its test.
ALLOWED = {
    "waiting": {"Opened": "departing", "Abandoned": "abandoned", "Parked": "waiting", "Resumed": "waiting"},
    "departing": {
        **dict.fromkeys(("Signed", "Voided", "Settled", "Parked", "Resumed"), "departing"),
        "Departed": "in transit",
        "Failed": "undoing",
    },
    "in transit": {
        **dict.fromkeys(("Sighted", "Parked", "Resumed"), "in transit"),
        "ClaimOpened": "claiming",
        "Arrived": "delivered",
        "Returned": "refunded",
    },
    "claiming": {
        **dict.fromkeys(("Signed", "Voided", "Settled", "Parked", "Resumed"), "claiming"),
        "Arrived": "delivered",
        "Failed": "in transit",
    },
    "undoing": {**dict.fromkeys(("UndoOpened", "Signed", "Voided", "Settled", "Parked", "Resumed"), "undoing"), "Abandoned": "abandoned"},
    "delivered": {},
    "refunded": {},
    "abandoned": {},
}


def at(state: State) -> LegState:
    return LegState(LEG, (), 1_000, state)


def fold(*facts: Event) -> LegState:
    state = at(State.WAITING)
    for fact in facts:
        state = apply(state, fact)
    return state


def test_examples__every_event__has_one():
    assert {type(example) for example in EXAMPLES} == set(get_args(Event))


@pytest.mark.parametrize(("state", "fact"), list(product(State, EXAMPLES)), ids=lambda value: getattr(value, "value", type(value).__name__))
def test_apply__every_pair__goes_where_the_table_says_or_is_impossible(state, fact):
    target = ALLOWED[state.value].get(type(fact).__name__)
    if target is None:
        with pytest.raises(Impossible, match=f"is {state.value}; {type(fact).__name__} cannot happen there"):
            apply(at(state), fact)
    else:
        after = apply(at(state), fact)
        assert after.state.value == target
        assert after.facts == 1


def test_ends__nothing__leads_out_of_them():
    assert {State.DELIVERED, State.REFUNDED, State.ABANDONED} == ENDS
    assert not any(state in ENDS for state, _ in TABLE)
    assert all(state.ended == (not ALLOWED[state.value]) for state in State)


def test_ends__every_state__reaches_one():
    reaches = {state: {target for (source, _), target in TABLE.items() if source is state} for state in State}
    for start in State:
        seen, todo = {start}, [start]
        while todo:
            fresh = reaches[todo.pop()] - seen
            seen |= fresh
            todo += fresh
        assert seen & ENDS


def test_table__value_that_has_left__is_never_abandoned():
    left = [State.IN_TRANSIT, State.CLAIMING]
    assert not [pair for pair in TABLE if pair[0] in left and TABLE[pair] in {State.ABANDONED, State.UNDOING, State.DEPARTING}]


# --- the fold ---


def test_fold__signed_and_settled__live_until_final():
    opened = fold(EXAMPLES[0])
    signed = apply(opened, Signed("depart", 0, submission()))
    assert signed.submission(0) == submission()
    assert signed.receipt(0) is None
    settled = apply(signed, Settled("depart", 0, LANDED))
    assert settled.live == ()
    assert settled.receipt(0) == LANDED


def test_fold__voided__only_that_transaction_is_dead():
    live = fold(EXAMPLES[0], Signed("depart", 0, submission(A, 1)), Signed("depart", 1, submission(A, 2)))
    assert [entry[2] for entry in apply(live, Voided(submission(A, 1).reference, "expired")).live] == [submission(A, 2)]


def test_fold__opened__gives_what_really_can_be_given():
    less = replace(LEG, gives=Amount(USDC_A, 900))
    assert fold(Opened(less, (call(),))).leg.gives.units == 900


DEPARTED = (EXAMPLES[0], EXAMPLES[1], EXAMPLES[3], EXAMPLES[4])


def test_fold__claim_refused_and_opened_again__old_claims_receipts_do_not_count():
    claim = replace(receipt(B, {}), reference=submission(B, 9).reference, succeeded=False)
    state = fold(*DEPARTED, ClaimOpened((call(BETA),), "0xabc"), Signed("claim", 0, submission(B, 9)), Settled("claim", 0, claim))
    assert state.receipt(0) == claim
    again = apply(apply(state, Failed("claim", "refused")), ClaimOpened((call(BETA),), "0xabc"))
    assert again.state is State.CLAIMING
    assert again.receipt(0) is None
    assert again.departure == LANDED
    assert [stage for stage, _, _ in again.settled] == ["depart"]


def test_fold__arrived__knows_what_came():
    state = fold(*DEPARTED, Sighted("attesting", "waits", "0xabc"), Arrived(Amount(USDC_B, 990), CAME, "0xabc"))
    assert state.arrived == Amount(USDC_B, 990)
    assert state.sighted is not None
    assert state.sighted.message == "0xabc"
    assert state.facts == len(DEPARTED) + 2


def test_fold__failed_then_undone__keeps_the_first_reason():
    state = fold(EXAMPLES[0], Failed("depart", "paused"), UndoOpened((call(),)), Abandoned("undone"))
    assert state.state is State.ABANDONED
    assert state.reason == "paused"


def test_fold__parked_and_resumed__state_is_kept():
    parked = fold(*DEPARTED, Parked("who took the nonce?"))
    assert (parked.state, parked.parked) == (State.IN_TRANSIT, "who took the nonce?")
    assert apply(parked, Resumed("it was me")) == replace(fold(*DEPARTED), facts=parked.facts + 1)


def test_stage__every_sending_state__has_its_own():
    assert [at(state).stage for state in (State.DEPARTING, State.CLAIMING, State.UNDOING)] == ["depart", "claim", "undo"]


def test_saga__ended_and_parked__are_those_of_its_legs():
    live, done = replace(at(State.DEPARTING), parked="look"), replace(at(State.DELIVERED), leg=leg(name="2"))
    saga = SagaState("s", "p", {live.leg.id: live, done.leg.id: done})
    assert not saga.ended
    assert saga.parked == (live,)
    assert saga.with_leg(at(State.DELIVERED)).ended
    assert [one.name for one in fields(saga)] == ["id", "plan", "legs"]


def test_diagram__every_transition_that_changes_the_state__is_drawn_once():
    lines = diagram().splitlines()
    drawn = [line for line in lines if "-->" in line and "[*]" not in line]
    assert len(drawn) == len(set(drawn)) == sum(source is not target for (source, _), target in TABLE.items())
    assert sum("--> [*]" in line for line in lines) == len(ENDS)
