"""The trace: every kind of event is told, with the state after it and its transaction."""

from __future__ import annotations

from typing import get_args

import pytest

from bridges.base import Lane, Leg
from chains.base import Call, Height, Receipt, Submission
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token
from coordinator.saga.machine import (
    Abandoned,
    Arrived,
    ClaimOpened,
    Departed,
    Event,
    Failed,
    Opened,
    Parked,
    Resumed,
    Returned,
    Settled,
    Sighted,
    Signed,
    UndoOpened,
    Voided,
)
from coordinator.views.trace import trace

CHAIN = ChainId("eip155", "31337001")
OWNER = AccountId(CHAIN, "0x90F79bf6EB2c4f870365E785982E1f101E93b906")
USDC = Token(TokenId(CHAIN, "erc20", f"0x{1:040d}"), "USDC", 6)
NATIVE = Token(TokenId(CHAIN, "slip44", "60"), "ETH", 18)
CALLS = (Call(CHAIN, f"0x{2:040d}", b"", "allow 5 USDC"), Call(CHAIN, f"0x{3:040d}", b"", "burn 5 USDC"))
FIVE = Amount(USDC, 5_000_000)
LEG = Leg("1" * 32, Lane("hop/alpha.USDC/alpha.USDC", "hop", USDC, USDC), FIVE, FIVE, OWNER, OWNER, 0, {})
SUBMISSION = Submission(CHAIN, OWNER, "0xaa", b"", 7, None)


def receipt(reference: str, *, succeeded: bool = True) -> Receipt:
    return Receipt(CHAIN, reference, OWNER, Height(9, "0x", 0), succeeded, True, 10**15, (), reason="" if succeeded else "paused")


DELIVERY: list[Event] = [
    Opened(LEG, CALLS),
    Signed("depart", 0, SUBMISSION),
    Voided("0xaa", "another took its nonce"),
    Signed("depart", 0, SUBMISSION),
    Settled("depart", 0, receipt("0xaa")),
    Departed(receipt("0xaa")),
    Sighted("attesting", "waits for the attestation", "m-1"),
    ClaimOpened(CALLS[1:], "m-1"),
    Parked("look at it"),
    Resumed("looked"),
    Failed("claim", "somebody was faster"),
    Arrived(FIVE, receipt("0xbb"), "m-1"),
]
UNDONE: list[Event] = [
    Opened(LEG, CALLS),
    Settled("depart", 1, receipt("0xcc", succeeded=False)),
    Failed("depart", "paused"),
    UndoOpened(CALLS[:1]),
    Abandoned("paused"),
]
REFUND: list[Event] = [Opened(LEG, CALLS), Departed(receipt("0xdd")), Returned(FIVE, receipt("0xee"), "m-2")]


def told(events: list[Event]) -> list[dict]:
    return trace([(LEG.id, event, 100 + n) for n, event in enumerate(events)], {CHAIN: NATIVE})[LEG.id]


def test_trace__delivery_with_everything_in_its_way__states_follow_the_table():
    assert [fact["state"] for fact in told(DELIVERY)] == [
        *["departing"] * 5,
        *["in transit"] * 2,
        *["claiming"] * 3,
        "in transit",
        "delivered",
    ]


def test_trace__transactions__each_fact_names_its_own():
    assert [fact["reference"] for fact in told(DELIVERY)] == ["", "0xaa", "0xaa", "0xaa", "0xaa", "0xaa", "", "", "", "", "", "0xbb"]


@pytest.mark.parametrize(
    ("number", "what", "says"),
    [
        (0, "its turn came", "gives 5 USDC: allow 5 USDC; burn 5 USDC"),
        (1, "signed, then sent", "depart transaction 1, nonce 7"),
        (2, "can never land", "another took its nonce"),
        (4, "final", "depart transaction 1 at height 9, fee 0.001 ETH"),
        (6, "seen attesting", "waits for the attestation, message m-1"),
        (8, "needs a person", "look at it"),
        (11, "arrived", "5 USDC at height 9, message m-1"),
    ],
)
def test_trace__fact__told_in_words(number: int, what: str, says: str):
    fact = told(DELIVERY)[number]
    assert (fact["what"], fact["says"], fact["time"]) == (what, says, 100 + number)


def test_trace__failure_and_taking_back__with_the_reason():
    facts = told(UNDONE)
    assert [fact["state"] for fact in facts] == ["departing", "departing", "undoing", "undoing", "abandoned"]
    assert facts[1]["what"] == "failed, final"
    assert facts[1]["says"].endswith(": paused")


def test_trace__refund__comes_back():
    assert told(REFUND)[-1]["what"] == "came back"


def test_trace__every_kind_of_event__is_told():
    known = {fact["event"] for events in (DELIVERY, UNDONE, REFUND) for fact in told(events)}
    assert known == {kind.__name__ for kind in get_args(Event)}
