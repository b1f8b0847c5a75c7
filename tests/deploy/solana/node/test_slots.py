"""Slots by the rules: windows of blockhashes at each commitment, heights, the slot hashes sysvar, forks."""

import pytest
from solders.hash import Hash

from deploy.localnet.solana.node.slots import MAX_AGE, Slots


def hash_of(slot: int, fork: int = 0) -> Hash:
    return Hash.hash(b"%d/%d" % (slot, fork))


@pytest.fixture
def slots() -> Slots:
    slots = Slots(30_000_000, hash_of(30_000_000), slot_ms=400, finalize_slots=32, start_time=1_000)
    for slot in range(30_000_001, 30_000_201):
        slots.advance(hash_of(slot))
    return slots


@pytest.mark.parametrize(("commitment", "back"), [("processed", 0), ("confirmed", 1), ("finalized", 32)])
def test_latest__each_commitment__is_its_own_banks_hash(slots: Slots, commitment: str, back: int) -> None:
    blockhash, last_height = slots.latest(commitment)
    assert blockhash == hash_of(30_000_200 - back)
    assert last_height == 10_000_200 - back + MAX_AGE


@pytest.mark.parametrize(
    ("age", "processed", "finalized"),
    [(0, True, False), (31, True, False), (32, True, True), (150, True, True), (151, False, True), (183, False, False)],
)
def test_is_recent__by_age__differs_between_banks(slots: Slots, age: int, processed: bool, finalized: bool) -> None:
    blockhash = hash_of(30_000_200 - age)
    assert (slots.is_recent(blockhash), slots.is_recent(blockhash, "finalized")) == (processed, finalized)


def test_abandon__three_slots__their_hashes_die_and_the_newest_is_new(slots: Slots) -> None:
    slots.abandon(3, hash_of(30_000_200, fork=1))
    assert [slots.is_recent(hash_of(30_000_200 - n)) for n in range(4)] == [False, False, False, True]
    assert slots.latest("processed")[0] == hash_of(30_000_200, fork=1)
    assert slots.latest("confirmed")[0] == hash_of(30_000_197)


def test_newest_hashes__any_time__are_the_512_before_now_newest_first(slots: Slots) -> None:
    assert slots.newest_hashes()[:2] == [(30_000_199, hash_of(30_000_199)), (30_000_198, hash_of(30_000_198))]
    assert len(slots.newest_hashes()) == 200
    for slot in range(30_000_201, 30_000_701):
        slots.advance(hash_of(slot))
    assert len(slots.newest_hashes()) == 512


def test_time_of__fractions_of_seconds__are_cut(slots: Slots) -> None:
    assert [slots.time_of(30_000_000 + n) for n in (0, 2, 3, 5)] == [1_000, 1_000, 1_001, 1_002]
