"""The book: balances now and as of a height, and conservation whatever is posted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coordinator.ledger.book import Book
from coordinator.ledger.entry import DEPOSITS, Entry, rail_fees, transfer, transit, wallet
from tests.coordinator.made import USDC_A, USDC_B, A, B

ACCOUNTS = st.sampled_from([wallet(A), wallet(B), transit("1"), rail_fees("hop"), DEPOSITS])
MOVES = st.tuples(st.sampled_from([USDC_A.id, USDC_B.id]), st.integers(-(2**256), 2**256), ACCOUNTS, ACCOUNTS, st.integers(0, 50))


def entries(moves) -> list[Entry]:
    return [
        Entry(f"test/{number}", "test", "", number, transfer(token, units, source, target, height=height))
        for number, (token, units, source, target, height) in enumerate(moves)
    ]


@given(st.lists(MOVES, max_size=20))
def test_book__any_entries__every_token_sums_to_zero(moves):
    book = Book().with_entries(entries(moves))
    for token in (USDC_A.id, USDC_B.id):
        assert sum(units for (_, name), units in book.balances().items() if name == token) == 0


@given(st.lists(MOVES, max_size=20), st.integers(0, 50))
def test_balance__as_of_a_height__is_the_postings_up_to_it(moves, height):
    book = Book().with_entries(entries(moves))
    later = Book(tuple(posting for posting in book.postings if posting.height > height))
    for account in (wallet(A), wallet(B)):
        assert book.balance(account, USDC_A.id, height) + later.balance(account, USDC_A.id) == book.balance(account, USDC_A.id)


def test_knows__opening_of_zero__is_known():
    book = Book().with_entries([Entry("o", "opening", "", 0, transfer(USDC_A.id, 0, DEPOSITS, wallet(A), height=3))])
    assert book.knows(A, USDC_A.id)
    assert not book.knows(B, USDC_A.id)
    assert book.balances() == {}


def test_in_transit__value_under_way__is_its_legs_account_only():
    book = Book().with_entries([Entry("d", "depart", "", 0, transfer(USDC_A.id, 70, wallet(A), transit("leg"), height=3))])
    assert book.in_transit() == {(transit("leg"), USDC_A.id): 70}
    assert book.held(A, USDC_A.id) == -70
