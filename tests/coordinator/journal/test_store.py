"""The journal: facts once, in one line, by whoever is first; amounts exact; every change noticed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.clock import SimulatedClock
from coordinator.journal.store import AlreadyApplied, Journal, Overtaken, verify
from coordinator.ledger.entry import Entry, transfer, wallet
from coordinator.saga.machine import Abandoned, Arrived, Departed, Impossible, LegState, Opened, Settled, Signed, State, Voided
from tests.coordinator.made import USDC_A, USDC_B, A, B, call, delivered_to, leg, plan, receipt, submission

UINT256 = 2**256 - 1
HOPS = [leg(name="1"), leg(name="2")]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new journal's file, to be copied: making one anew takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "journal.sqlite3"
    Journal.open(path, SimulatedClock()).close()
    return path


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "journal.sqlite3"))


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal.open(path, SimulatedClock())
    yield opened
    opened.close()


def begun(journal: Journal) -> tuple[str, LegState, LegState]:
    saga = journal.begin(plan(HOPS))
    return saga.id, *saga.legs.values()


def in_transit(journal: Journal, saga: str, state: LegState, number: int = 1) -> LegState:
    sent = submission(A, number)
    facts = [Opened(state.leg, (call(),)), Signed("depart", 0, sent)]
    landed = replace(receipt(A, {USDC_A.id: -1_000}), reference=sent.reference)
    return journal.record(saga, state, [*facts, Settled("depart", 0, landed), Departed(landed)])


# --- plans and sagas ---


def test_begin__plan_applied_before__is_refused_also_after_a_restart(journal, path):
    saga, *_ = begun(journal)
    with pytest.raises(AlreadyApplied, match=saga):
        journal.begin(plan(HOPS))
    again = Journal.open(path, SimulatedClock())
    with pytest.raises(AlreadyApplied):
        again.begin(plan(HOPS))
    assert again.sagas() == [saga]
    again.close()


def test_begin__another_plan_with_a_leg_that_was_begun__is_refused(journal):
    saga, first, second = begun(journal)
    for state in (first, second):
        journal.record(saga, state, [Abandoned("no")])
    with pytest.raises(AlreadyApplied, match=f"begun before, in saga {saga}"):
        journal.begin(plan(HOPS, created=1))
    assert journal.sagas() == [saga]


def test_saga__after_a_restart__is_the_same_fold(journal, path):
    saga, first, _ = begun(journal)
    live = in_transit(journal, saga, first)
    again = Journal.open(path, SimulatedClock())
    assert again.saga(saga).legs[first.leg.id] == live
    assert again.plan(again.saga(saga).plan) == plan(HOPS)
    again.close()


def test_saga__unknown_name__is_a_key_error(journal):
    with pytest.raises(KeyError, match="s-none"):
        journal.saga("s-none")


def test_record__not_in_the_table__writes_nothing(journal):
    saga, first, _ = begun(journal)
    with pytest.raises(Impossible):
        journal.record(saga, first, [Opened(first.leg, (call(),)), Abandoned("no")])
    assert journal.story(saga) == []


def test_record__entry_named_before__is_booked_once(journal):
    entry = Entry("fee/1", "fee", "", 1, transfer(USDC_A.id, 5, wallet(A), "expense:network", height=1))
    journal.post([entry])
    journal.post([entry])
    assert journal.entries() == [entry]
    assert journal.book().held(A, USDC_A.id) == -5


# --- two workers ---


def test_record__second_worker_with_an_old_fold__is_overtaken_and_writes_nothing(journal, path):
    saga, first, _ = begun(journal)
    other = Journal.open(path, SimulatedClock())
    stale = other.saga(saga).legs[first.leg.id]
    journal.record(saga, first, [Opened(first.leg, (call(),))])
    with pytest.raises(Overtaken, match=first.leg.id):
        other.record(saga, stale, [Opened(first.leg, (call(),))])
    with pytest.raises(Overtaken):
        other.record(saga, stale, [Abandoned("late")])
    assert len(journal.story(saga)) == 1
    assert other.saga(saga).legs[first.leg.id].state is State.DEPARTING
    other.close()


def test_record__second_transaction_for_a_step__is_overtaken(journal):
    saga, first, _ = begun(journal)
    live = journal.record(saga, first, [Opened(first.leg, (call(),)), Signed("depart", 0, submission(A, 1))])
    with pytest.raises(Overtaken):
        journal.record(saga, live, [Signed("depart", 0, submission(A, 2))])
    assert journal.references() == {submission(A, 1).reference}


def test_record__voided_before__the_step_may_be_signed_again(journal):
    saga, first, _ = begun(journal)
    live = journal.record(saga, first, [Opened(first.leg, (call(),)), Signed("depart", 0, submission(A, 1))])
    live = journal.record(saga, live, [Voided(submission(A, 1).reference, "expired")])
    live = journal.record(saga, live, [Signed("depart", 0, submission(A, 2))])
    assert [entry[2] for entry in live.live] == [submission(A, 2)]


def test_record__nonce_signed_with_by_another_leg__is_overtaken(journal):
    saga, first, second = begun(journal)
    journal.record(saga, first, [Opened(first.leg, (call(),)), Signed("depart", 0, submission(A, 7))])
    rival = replace(submission(A, 7), reference="0xother")
    with pytest.raises(Overtaken):
        journal.record(saga, second, [Opened(second.leg, (call(),)), Signed("depart", 0, rival)])
    assert [state.state for state in journal.saga(saga).legs.values()] == [State.DEPARTING, State.WAITING]


# --- nonces ---


def test_next_nonce__nothing_signed__is_what_the_chain_says_however_often_asked(journal):
    assert [journal.next_nonce(A, 4), journal.next_nonce(A, 4)] == [4, 4]


def test_next_nonce__signed_but_not_yet_seen_by_the_chain__is_the_next_one(journal):
    saga, first, _ = begun(journal)
    journal.record(saga, first, [Opened(first.leg, (call(),)), Signed("depart", 0, submission(A, 4))])
    assert journal.next_nonce(A, 4) == 5
    assert journal.next_nonce(A, 9) == 9
    assert journal.next_nonce(B, 0) == 0


# --- credits ---


def arrived(state: LegState, message: str) -> Arrived:
    return Arrived(state.leg.least, delivered_to(B, USDC_B.id, state.leg.least.units), message)


def test_record__message_credited_to_another_leg__is_overtaken(journal):
    saga, first, second = begun(journal)
    first, second = in_transit(journal, saga, first, 1), in_transit(journal, saga, second, 2)
    journal.record(saga, first, [arrived(first, "0xabc")])
    assert journal.credited("hop", "0xabc") == first.leg.id
    with pytest.raises(Overtaken):
        journal.record(saga, second, [arrived(second, "0xabc")])
    assert journal.record(saga, second, [arrived(second, "0xdef")]).state is State.DELIVERED


def test_record__swaps_have_no_message__are_never_credited(journal):
    saga, first, second = begun(journal)
    for state, number in ((first, 1), (second, 2)):
        live = in_transit(journal, saga, state, number)
        journal.record(saga, live, [arrived(live, "")])
    assert journal.saga(saga).ended
    assert journal.credited("hop", "") is None


def test_references__delivered_by_a_stranger__is_not_foreign(journal):
    saga, first, _ = begun(journal)
    live = in_transit(journal, saga, first)
    brought = arrived(live, "0xabc")
    entry = Entry(f"arrive/{first.leg.id}/{brought.receipt.reference}", "arrive", "", 1, transfer(USDC_B.id, 1, "x", "y", height=1))
    journal.record(saga, live, [brought], [entry])
    assert journal.references() == {submission(A, 1).reference, brought.receipt.reference}


# --- exact, durable, append-only ---


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-UINT256, UINT256), min_size=1, max_size=5), st.integers(0, 2**62))
def test_post__any_uint256__survives_storage_exactly(empty, tmp_path_factory, amounts, height):
    path = Path(shutil.copy(empty, tmp_path_factory.mktemp("exact") / "journal.sqlite3"))
    written = Journal.open(path, SimulatedClock())
    booked = [
        Entry(f"e{number}", "deposit", "", number, transfer(USDC_B.id, units, "equity:deposits", wallet(B), height=height))
        for number, units in enumerate(amounts)
    ]
    written.post(booked)
    written.close()
    read = Journal.open(path, SimulatedClock())
    assert read.entries() == booked
    assert read.book().held(B, USDC_B.id) == sum(amounts)
    read.close()


def test_post__uint256_max__is_stored_to_the_unit(journal, path):
    journal.post([Entry("e", "deposit", "", 1, transfer(USDC_A.id, UINT256, "equity:deposits", wallet(A), height=1))])
    assert journal.book().held(A, USDC_A.id) == UINT256
    with closing(sqlite3.connect(path)) as raw:
        assert sorted(raw.execute("select units from posting").fetchall()) == [(str(-UINT256),), (str(UINT256),)]


@pytest.mark.parametrize("table", ["plan", "saga", "event", "credit", "entry", "posting"])
@pytest.mark.parametrize("change", ["update {table} set rowid = rowid", "delete from {table}"])
def test_tables__changed_by_hand__refuse(journal, path, table, change):
    saga, first, _ = begun(journal)
    live = in_transit(journal, saga, first)
    journal.record(saga, live, [arrived(live, "0xabc")], [Entry("e", "k", "", 1, transfer(USDC_A.id, 1, "a", "b", height=1))])
    with closing(sqlite3.connect(path)) as raw, pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        raw.execute(change.format(table=table))


def test_open__every_write_is_durable__wal_and_full_synchronous(journal, path):
    with journal._engine.connect() as db:
        assert db.exec_driver_sql("pragma synchronous").scalar() == 2  # FULL
        assert db.exec_driver_sql("pragma journal_mode").scalar() == "wal"


# --- proof ---

COLUMNS = ("number", "saga", "leg", "ordinal", "body", "at", "previous", "hash")


def tampered(path: Path, *statements: str) -> None:
    """What somebody with the file in hands can do."""
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("pragma foreign_keys=off")
        for kind in ("update", "delete"):
            raw.execute(f"drop trigger if exists event_no_{kind}")
            raw.execute(f"drop trigger if exists plan_no_{kind}")
        for statement in statements:
            raw.execute(statement)


def filled(journal: Journal) -> int:
    saga, first, second = begun(journal)
    in_transit(journal, saga, first, 1)
    journal.record(saga, second, [Abandoned("no")])
    assert verify(journal) is None
    return len(journal.story(saga))


@pytest.mark.parametrize("column", COLUMNS)
def test_verify__any_column_of_any_event_changed__is_found(journal, path, column):
    for number in range(1, filled(journal) + 1):
        with closing(sqlite3.connect(path)) as raw:
            (kept,) = raw.execute(f"select {column} from event where number = {number}").fetchone()
        changed = kept + 100 if isinstance(kept, int) else kept[:-1] + ("0" if kept[-1] != "0" else "1")
        tampered(path, f"update event set {column} = '{changed}' where number = {number}")
        problem = verify(journal)
        assert problem is not None
        assert "event" in problem
        where = changed if column == "number" else number
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute(f"update event set {column} = ? where number = {where}", (kept,))
        assert verify(journal) is None


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_verify__any_byte_of_any_body_changed__is_found(empty, tmp_path_factory, data):
    path = Path(shutil.copy(empty, tmp_path_factory.mktemp("bytes") / "journal.sqlite3"))
    journal = Journal.open(path, SimulatedClock())
    count = filled(journal)
    number = data.draw(st.integers(1, count))
    with closing(sqlite3.connect(path)) as raw:
        (body,) = raw.execute(f"select body from event where number = {number}").fetchone()
    position = data.draw(st.integers(0, len(body) - 1))
    letter = data.draw(st.characters(codec="ascii", min_codepoint=32).filter(lambda c: c != body[position]))
    changed = (body[:position] + letter + body[position + 1 :]).replace("'", "''")
    tampered(path, f"update event set body = '{changed}' where number = {number}")
    problem = verify(journal)
    journal.close()
    assert problem is not None
    assert f"event {number} was changed" in problem


def test_verify__event_removed_or_swapped__is_found(journal, path):
    count = filled(journal)
    tampered(path, "delete from event where number = 2")
    assert "event 2 is missing" in (verify(journal) or "")
    tampered(path, f"update event set number = 2 where number = {count}")
    assert "event 2 was changed or replaced" in (verify(journal) or "")


def test_verify__plan_changed__is_found(journal, path):
    filled(journal)
    tampered(path, 'update plan set body = replace(body, \'"units":"1000"\', \'"units":"1001"\')')
    assert "plan" in (verify(journal) or "")
