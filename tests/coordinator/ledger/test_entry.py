"""Entries: they cancel token by token or they cannot be made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.ledger.entry import Entry, Posting, Unbalanced, transfer, wallet
from tests.coordinator.made import ETH_A, USDC_A, USDC_B, A, B

UNITS = st.integers(-(2**256), 2**256)
TOKENS = st.sampled_from([USDC_A.id, USDC_B.id, ETH_A.id])


def entry(*postings: Posting) -> Entry:
    return Entry("test/1", "test", "", 0, postings)


@given(st.lists(st.tuples(TOKENS, UNITS), min_size=1, max_size=8))
def test_entry__postings_that_do_not_cancel_token_by_token__cannot_be_made(moves):
    postings = [Posting(f"account:{number}", token, units, 1) for number, (token, units) in enumerate(moves)]
    sums = {token: sum(p.units for p in postings if p.token == token) for token, _ in moves}
    if any(sums.values()):
        with pytest.raises(Unbalanced, match="does not cancel"):
            entry(*postings)
    else:
        assert entry(*postings).postings == tuple(postings)


@given(TOKENS, UNITS)
def test_transfer__any_units__is_an_entry(token, units):
    assert sum(posting.units for posting in entry(*transfer(token, units, wallet(A), wallet(B), height=1)).postings) == 0


def test_entry__the_same_units_of_two_tokens__do_not_cancel():
    with pytest.raises(Unbalanced, match=str(USDC_B.id)):
        entry(Posting("a", USDC_A.id, 5, 1), Posting("b", USDC_B.id, -5, 1))


def test_entry__without_postings__cannot_be_made():
    with pytest.raises(Unbalanced, match="no postings"):
        entry()
