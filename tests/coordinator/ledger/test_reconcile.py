"""Reconcile: every difference between chain and book gets its name, and what is under way is never adjusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from chains.base import Height, Receipt, Snapshot, Unknown
from chains.errors import Unreachable
from coordinator.ledger.book import Book
from coordinator.ledger.entry import Entry, transfer, transit, wallet
from coordinator.ledger.reconcile import compare, explain, unexplained
from tests.coordinator.made import ALPHA, ETH_A, USDC_A, A, receipt

TOKEN = USDC_A.id
HEIGHT = Height(500, "0x05", 1_790_000_500)


@dataclass
class History:
    """A reader that knows transactions; it honours `since` as a node does."""

    receipts: list[Receipt] = field(default_factory=list)
    silent: bool = False

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        if self.silent:
            raise Unreachable("no answer")
        return [each for each in self.receipts if each.height.number >= since]


def line(units: int | Unknown, book: Book, busy: frozenset = frozenset(), token=TOKEN):
    (found,) = compare(Snapshot(ALPHA, HEIGHT, {(A, token): units}), book, busy)
    return found


def opened(units: int, at: int = 10, token=TOKEN) -> Book:
    return Book().with_entries([Entry("opening", "opening", "", 0, transfer(token, units, "equity:opening", wallet(A), height=at))])


async def named(units: int | Unknown, book: Book, history: History, ours: frozenset[str] = frozenset(), **more) -> dict[str, int]:
    """(kind: signed units as the wallet saw them) of the entries that close the gap."""
    found = await explain(line(units, book, **more), book, history, ours)
    token = more.get("token", TOKEN)
    after = book.with_entries(found)
    if not more.get("busy") and isinstance(units, int):
        assert after.held(A, token, HEIGHT.number) == units  # closed to the unit, whatever it is called
    assert len({entry.kind for entry in found}) == len(found)
    return {entry.kind: sum(p.units for p in entry.postings if p.account == wallet(A)) for entry in found}


async def test_explain__first_sight__is_the_opening_balance_even_of_zero():
    assert await named(70, Book(), History()) == {"opening": 70}
    assert await named(0, Book(), History()) == {"opening": 0}


async def test_explain__no_gap__says_nothing():
    assert await named(70, opened(70), History()) == {}


async def test_explain__strangers_transactions__are_deposits_and_withdrawals_with_their_transaction():
    history = History([receipt(A, {TOKEN: 30}, at=300), receipt(A, {TOKEN: -5}, at=301)])
    assert await named(95, opened(70), history) == {"deposit": 30, "withdrawal": -5}
    (deposit, _) = await explain(line(95, opened(70)), opened(70), history, frozenset())
    assert deposit.id.endswith(history.receipts[0].reference)
    assert deposit.postings[0].height == 300


async def test_explain__what_no_transaction_shows__is_unexplained_and_reported():
    book = opened(70)
    found = await explain(line(90, book), book, History([receipt(A, {TOKEN: 5}, at=300)]), frozenset())
    assert [entry.kind for entry in found] == ["deposit", "unexplained"]
    assert unexplained(book.with_entries(found)) == {TOKEN: 15}


async def test_explain__our_own_transaction__is_no_deposit():
    ours = receipt(A, {TOKEN: 30}, at=300)
    assert await named(100, opened(70), History([ours]), frozenset({ours.reference})) == {"unexplained": 30}


async def test_explain__not_final_or_after_the_snapshot__is_not_counted_yet():
    history = History([receipt(A, {TOKEN: 30}, at=501)])
    assert await named(70, opened(70), history) == {}
    assert await named(71, opened(70), history) == {"unexplained": 1}


async def test_explain__deposit_while_our_legs_were_under_way__is_found_below_our_own_height():
    ours = receipt(A, {TOKEN: -20}, at=400)
    book = opened(70).with_entries([Entry("depart", "depart", "", 0, transfer(TOKEN, 20, wallet(A), transit("1"), height=400))])
    history = History([receipt(A, {TOKEN: 30}, at=300), ours])
    assert await named(80, book, history, frozenset({ours.reference})) == {"deposit": 30}


async def test_explain__deposit_named_before__is_not_named_again():
    history = History([receipt(A, {TOKEN: 30}, at=300)])
    book = opened(70)
    book = book.with_entries(await explain(line(100, book), book, history, frozenset()))
    assert await named(100, book, history) == {}
    history.receipts.append(receipt(A, {TOKEN: 1}, at=450))
    assert await named(101, book, history) == {"deposit": 1}


async def test_explain__node_silent_about_history__gap_stays_open_for_the_next_look():
    with pytest.raises(Unreachable):
        await named(100, opened(70), History(silent=True))


@pytest.mark.parametrize("units", [0, 100, Unknown("no answer")])
async def test_explain__token_under_way_or_unknown__is_never_adjusted(units):
    assert await named(units, opened(70), History(), busy=frozenset({TOKEN})) == {}
    assert await explain(line(Unknown("no answer"), opened(70)), opened(70), History(), frozenset()) == ()


async def test_explain__first_sight_while_under_way__waits():
    assert await named(70, Book(), History(), busy=frozenset({TOKEN})) == {}


async def test_explain__native_coin_received__is_unexplained():
    assert await named(9, opened(7, token=ETH_A.id), History(), token=ETH_A.id) == {"unexplained": 2}


def test_compare__postings_above_the_snapshot__are_left_out():
    book = opened(70).with_entries([Entry("late", "depart", "", 0, transfer(TOKEN, 20, wallet(A), transit("1"), height=501))])
    assert line(70, book).gap == 0
    assert isinstance(line(Unknown("x"), book).gap, Unknown)
