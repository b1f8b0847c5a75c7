"""The codec: every value comes back equal, equal data has equal bytes, and base units are never JSON numbers."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import get_args

import pytest
from cattrs import ClassValidationError
from hypothesis import given
from hypothesis import strategies as st

from bridges.base import Arrival, Claimable, Delivered, InTransit, Lane, Leg, Quote, Refunded
from chains.base import AccountMeta, Call, Height, Log, Movement, Receipt, Submission
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token
from coordinator.codec import canonical, digest, fraction_text, from_data, to_data
from coordinator.saga import machine
from policies.base import Position, UnitBand
from tests.coordinator.made import ETH_A, SOL, USDC_A, USDC_B, A, B, S, leg

BIG = st.integers(-(2**256), 2**256)
TEXT = st.text(max_size=12)
FRACTIONS = st.fractions()
TOKENS = st.sampled_from([USDC_A, USDC_B, ETH_A, SOL])
ACCOUNTS = st.sampled_from([A, B, S])
CHAINS = st.sampled_from([A.chain, B.chain, S.chain])
HEIGHTS = st.builds(Height, st.integers(0, 2**63), TEXT, st.integers(0, 2**40))
AMOUNTS = st.builds(Amount, TOKENS, BIG)
MOVEMENTS = st.builds(Movement, ACCOUNTS, TOKENS.map(lambda token: token.id), BIG)
LOGS = st.builds(Log, TEXT, st.tuples(TEXT, TEXT), st.binary(max_size=40))
METAS = st.builds(AccountMeta, TEXT, st.booleans(), st.booleans())
SEEDS = st.tuples(st.binary(min_size=32, max_size=32))
CALLS = st.builds(
    Call,
    CHAINS,
    TEXT,
    st.binary(max_size=40),
    TEXT,
    st.integers(0, 2**256),
    st.tuples(METAS),
    st.tuples(st.binary(min_size=32, max_size=32)),
)
RECEIPTS = st.builds(
    Receipt,
    chain=CHAINS,
    reference=TEXT,
    sender=ACCOUNTS,
    height=HEIGHTS,
    succeeded=st.booleans(),
    final=st.booleans(),
    fee=st.integers(0, 2**256),
    movements=st.lists(MOVEMENTS, max_size=3).map(tuple),
    logs=st.lists(LOGS, max_size=2).map(tuple),
    reason=TEXT,
)
OPTIONAL = st.none() | st.integers(0, 2**64)
SUBMISSIONS = st.builds(Submission, CHAINS, ACCOUNTS, TEXT, st.binary(max_size=40), OPTIONAL, OPTIONAL)
LEGS = st.builds(
    Leg,
    id=TEXT,
    lane=st.builds(Lane, TEXT, TEXT, TOKENS, TOKENS),
    gives=AMOUNTS,
    least=AMOUNTS,
    sender=ACCOUNTS,
    recipient=ACCOUNTS,
    deadline=st.integers(0, 2**40),
    terms=st.dictionaries(TEXT, TEXT, max_size=3),
)
STAGES = st.sampled_from(["depart", "claim", "undo"])
SEVERAL_CALLS = st.lists(CALLS, max_size=2).map(tuple)
EVENTS = st.one_of(
    st.builds(machine.Opened, LEGS, SEVERAL_CALLS),
    st.builds(machine.Signed, STAGES, st.integers(0, 9), SUBMISSIONS),
    st.builds(machine.Voided, TEXT, TEXT),
    st.builds(machine.Settled, STAGES, st.integers(0, 9), RECEIPTS),
    st.builds(machine.Departed, RECEIPTS),
    st.builds(machine.Failed, STAGES, TEXT),
    st.builds(machine.Sighted, TEXT, TEXT, TEXT),
    st.builds(machine.ClaimOpened, SEVERAL_CALLS, TEXT),
    st.builds(machine.Arrived, AMOUNTS, RECEIPTS, TEXT),
    st.builds(machine.Returned, AMOUNTS, RECEIPTS, TEXT),
    st.builds(machine.UndoOpened, SEVERAL_CALLS),
    st.builds(machine.Abandoned, TEXT),
    st.builds(machine.Parked, TEXT),
    st.builds(machine.Resumed, TEXT),
)
ARRIVALS = st.one_of(
    st.builds(InTransit, st.sampled_from(["attesting", "relaying"]), TEXT, TEXT),
    st.builds(Claimable, SEVERAL_CALLS, TEXT),
    st.builds(Delivered, AMOUNTS, RECEIPTS, TEXT),
    st.builds(Refunded, AMOUNTS, RECEIPTS, TEXT),
)


def through_json(value, kind, hint=None):
    return from_data(json.loads(canonical(to_data(value, hint))), kind)


@given(EVENTS)
def test_event__through_json__is_the_same_event(event):
    assert through_json(event, machine.Event, machine.Event) == event


@given(ARRIVALS)
def test_arrival__through_json__is_the_same_arrival(arrival):
    assert through_json(arrival, Arrival, Arrival) == arrival


def test_events__strategy__covers_the_whole_union():
    assert {strategy.wrapped_strategy.target for strategy in EVENTS.original_strategies} == set(get_args(machine.Event))


@given(LEGS, EVENTS)
def test_canonical__written_twice__has_equal_bytes_and_hash(leg, event):
    for value, hint in ((leg, None), (event, machine.Event)):
        data = to_data(value, hint)
        assert canonical(json.loads(canonical(data))) == canonical(data)
        assert digest(data) == digest(json.loads(canonical(data)))


@given(FRACTIONS)
def test_fraction__as_text__is_exact(value):
    text = fraction_text(value)
    assert Fraction(text) == value
    assert from_data(to_data(value), Fraction) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("1/4", "0.25"),
        ("-1/8", "-0.125"),
        ("3/7", "3/7"),
        ("-3/7", "-3/7"),
        ("1000", "1000"),
        ("1/1000", "0.001"),
        ("-2", "-2"),
    ],
)
def test_fraction__decimals_that_end__are_written_as_decimals(value, text):
    assert fraction_text(Fraction(value)) == text


@given(BIG)
def test_units__of_any_size__are_text_in_json(units):
    assert to_data(Amount(USDC_A, units))["units"] == str(units)
    assert to_data(Movement(A, USDC_A.id, units))["units"] == str(units)


@given(BIG)
def test_units__under_every_name_that_holds_them__are_text_in_json(units):
    quote = Quote(Lane("x", "x", USDC_A, USDC_B), Amount(USDC_A, 1), Amount(USDC_B, 1), (), units, units, 5)
    position = to_data(Position(USDC_A, units, units, units))
    told = [to_data(quote)[name] for name in ("least", "most")] + [position[name] for name in ("held", "leaving", "arriving")]
    told += [to_data(Call(A.chain, "x", b"", "x", value=units))["value"], *to_data(UnitBand(units, units)).values()]
    assert set(told) == {str(units)}
    assert to_data(UnitBand(None, units))["low"] is None
    assert from_data(position, Position) == Position(USDC_A, units, units, units)


@given(st.sampled_from([ChainId, AccountId, TokenId]), st.data())
def test_ids__as_text__are_their_caip_form(kind, data):
    value = data.draw({ChainId: CHAINS, AccountId: ACCOUNTS, TokenId: TOKENS.map(lambda token: token.id)}[kind])
    assert to_data(value) == str(value)
    assert from_data(str(value), kind) == value


@given(st.binary(max_size=64))
def test_bytes__through_json__are_hex(raw):
    assert to_data(raw) == "0x" + raw.hex()
    assert from_data("0x" + raw.hex(), bytes) == raw


def test_from_data__key_that_is_not_known__is_refused():
    data = to_data(Token(USDC_A.id, "USDC", 6)) | {"price": 1}
    with pytest.raises(ClassValidationError):
        from_data(data, Token)


def test_from_data__key_that_is_missing__is_refused():
    data = to_data(leg())
    del data["least"]
    with pytest.raises(ClassValidationError):
        from_data(data, Leg)
