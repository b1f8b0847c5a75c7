"""Booking: what chains moved becomes entries that cancel, native coin, rent and failed transactions included."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.base import Leg
from chains.base import Receipt
from chains.ids import AccountId, TokenId
from chains.tokens import Amount
from coordinator.ledger.book import Book
from coordinator.ledger.entry import NETWORK_FEES, Entry, exchange, rail_fees, transfer, transit, wallet
from coordinator.saga import booking
from tests.coordinator.made import ETH_A, ETH_B, SOL, USDC_A, USDC_B, A, B, S, delivered_to, leg, receipt

HOP = leg()
SWAP_OUT = leg(ETH_A, USDC_A, 500, rail="pool")
SWAP_IN = leg(USDC_A, ETH_A, 500, rail="pool")


def balances(*entries: Entry | None) -> dict[tuple[str, str], int]:
    book = Book().with_entries(entry for entry in entries if entry)
    return {(account, token.reference if token.is_native else "USDC"): units for (account, token), units in book.balances().items()}


@pytest.mark.parametrize("succeeded", [True, False])
def test_fee__of_any_final_transaction__leaves_the_senders_wallet(succeeded):
    entry = booking.fee("s", HOP, receipt(A, fee=21, succeeded=succeeded), ETH_A.id)
    assert balances(entry) == {(wallet(A), "60"): -21, (NETWORK_FEES, "60"): 21}
    assert entry.id == f"fee/{A.chain}/{receipt(A).reference}"
    assert entry.postings[0].height == 100


def test_departure__token_with_message_fee__token_into_transit_and_native_to_the_rail():
    approve, burn = receipt(A, {}, at=99), receipt(A, {USDC_A.id: -1_000, ETH_A.id: -7})
    entries = booking.departure("s", HOP, (approve, burn), ETH_A.id)
    assert balances(*entries) == {
        (wallet(A), "USDC"): -1_000,
        (transit(HOP.id), "USDC"): 1_000,
        (wallet(A), "60"): -7,
        (rail_fees("hop"), "60"): 7,
    }
    assert [entry.id for entry in entries] == [f"depart/{HOP.id}/{burn.reference}"]  # an approval moves nothing


def test_departure__more_taken_than_given__the_rest_is_the_rails_fee():
    (entry,) = booking.departure("s", HOP, (receipt(A, {USDC_A.id: -1_010}),), ETH_A.id)
    assert balances(entry)[transit(HOP.id), "USDC"] == 1_000
    assert balances(entry)[rail_fees("hop"), "USDC"] == 10


def test_departure__less_taken_than_given__only_what_left_is_in_transit():
    (entry,) = booking.departure("s", HOP, (receipt(A, {USDC_A.id: -990}),), ETH_A.id)
    assert balances(entry) == {(wallet(A), "USDC"): -990, (transit(HOP.id), "USDC"): 990}


def test_departure__native_is_given__no_second_posting_for_it():
    (entry,) = booking.departure("s", SWAP_OUT, (receipt(A, {ETH_A.id: -500, USDC_A.id: 1_490}),), ETH_A.id)
    assert balances(entry) == {(wallet(A), "60"): -500, (transit(SWAP_OUT.id), "60"): 500}


def test_departure__native_is_given_and_rent_with_it__rent_is_the_rails_fee():
    (entry,) = booking.departure("s", leg(SOL, SOL, 500, rail="pool"), (receipt(S, {SOL.id: -503}),), SOL.id)
    assert balances(entry)[rail_fees("pool"), "501"] == 3


def test_departure__native_is_taken__its_gain_is_left_to_the_arrival():
    (entry,) = booking.departure("s", SWAP_IN, (receipt(A, {USDC_A.id: -500, ETH_A.id: 900}),), ETH_A.id)
    assert balances(entry) == {(wallet(A), "USDC"): -500, (transit(SWAP_IN.id), "USDC"): 500}


def test_beside__rent_of_a_claim__is_the_rails_fee():
    entry = booking.beside("s", HOP, receipt(B, {ETH_B.id: -2}, fee=5), ETH_B.id)
    assert balances(entry) == {(wallet(B), "60"): -2, (rail_fees("hop"), "60"): 2}


def test_beside__rent_given_back__comes_back_from_the_rail():
    assert balances(booking.beside("s", HOP, receipt(B, {ETH_B.id: 2}), ETH_B.id)) == {(wallet(B), "60"): 2, (rail_fees("hop"), "60"): -2}


def test_beside__nothing_or_the_arrival_itself__books_nothing():
    assert booking.beside("s", HOP, receipt(B, {USDC_B.id: 990}), ETH_B.id) is None
    assert booking.beside("s", SWAP_IN, receipt(A, {ETH_A.id: 900}), ETH_A.id) is None


def test_arrival__through_a_bridge__transit_is_emptied_and_the_exchange_holds_both_sides():
    departed = booking.departure("s", HOP, (receipt(A, {USDC_A.id: -1_000}),), ETH_A.id)
    came = booking.arrival("s", HOP, Amount(USDC_B, 990), delivered_to(B, USDC_B.id, 990))
    book = Book().with_entries([*departed, came])
    assert book.in_transit() == {}
    assert book.balance(exchange("hop"), USDC_A.id) == 1_000
    assert book.balance(exchange("hop"), USDC_B.id) == -990
    assert (book.held(A, USDC_A.id), book.held(B, USDC_B.id)) == (-1_000, 990)
    assert book.held(B, USDC_B.id, up_to=199) == 0  # the arrival has the target's height


@pytest.mark.parametrize(
    ("swap", "moved"),
    [(SWAP_OUT, {ETH_A.id: -500, USDC_A.id: 1_490}), (SWAP_IN, {USDC_A.id: -500, ETH_A.id: 900})],
    ids=["native given", "native taken"],
)
def test_swap__whole_story__wallet_moves_exactly_as_the_chain_did(swap, moved):
    did = receipt(A, moved, fee=11)
    taken = Amount(swap.lane.target, moved[swap.lane.target.id])
    story = [booking.fee("s", swap, did, ETH_A.id), *booking.departure("s", swap, (did,), ETH_A.id), booking.arrival("s", swap, taken, did)]
    book = Book().with_entries(story)
    for token, units in moved.items():
        assert book.held(A, token) == units - (11 if token == ETH_A.id else 0)
    assert book.in_transit() == {}


def test_refund__in_full_or_less__what_was_kept_is_the_rails_fee():
    departed = booking.departure("s", HOP, (receipt(A, {USDC_A.id: -1_000}),), ETH_A.id)
    back = booking.refund("s", HOP, Amount(USDC_A, 985), receipt(A, {USDC_A.id: 985}, at=300))
    book = Book().with_entries([*departed, back])
    assert book.in_transit() == {}
    assert book.held(A, USDC_A.id) == -15
    assert book.balance(rail_fees("hop"), USDC_A.id) == 15


def test_names__of_one_legs_entries__are_all_different_and_told_by_what_happened():
    did = receipt(A, {USDC_A.id: -1_000, ETH_A.id: -7}, fee=3)
    came = delivered_to(B, USDC_B.id, 990)
    story = [
        booking.fee("s", HOP, did, ETH_A.id),
        *booking.departure("s", HOP, (did,), ETH_A.id),
        booking.arrival("s", HOP, Amount(USDC_B, 990), came),
        booking.refund("s", HOP, Amount(USDC_A, 1_000), did),
    ]
    assert len({entry.id for entry in story}) == len(story)
    assert all(entry.saga == "s" and entry.leg == HOP.id for entry in story)


@dataclass
class Chains:
    """What really is in the wallets, beside the book that is told of it by receipts only."""

    wallets: Counter[TokenId] = field(default_factory=Counter)
    in_flight: dict[str, int] = field(default_factory=dict)
    book: Book = field(default_factory=Book)
    height: int = 100

    def moved(self, account: AccountId, moved: dict[TokenId, int], fee: int = 0, *, succeeded: bool = True) -> Receipt:
        self.height += 1
        self.wallets.update(moved)
        native = {A: ETH_A, B: ETH_B}[account]
        self.wallets[native.id] -= fee
        return receipt(account, moved, fee=fee, succeeded=succeeded, at=self.height)

    def stranger(self, account: AccountId, token: TokenId, units: int) -> None:
        """A deposit or withdrawal by others, booked as reconcile books it."""
        did = self.moved(account, {token: units})
        kind = "deposits" if units > 0 else "withdrawals"
        postings = transfer(token, units, f"equity:{kind}", wallet(account), height=did.height.number)
        self.book = self.book.with_entries([Entry(f"{kind}/{did.reference}", kind, "", 0, postings)])

    def story(self, hop: Leg, takes: int, fee: int, end: str) -> None:
        """A leg from its approval to where it ends: in transit, delivered, refunded, or a departure that reverted."""
        gives = hop.gives.units
        approval = self.moved(A, {}, fee)
        booked = [booking.fee("s", hop, approval, ETH_A.id)]
        if end == "reverted":
            booked.append(booking.fee("s", hop, self.moved(A, {}, fee, succeeded=False), ETH_A.id))
            self.book = self.book.with_entries(booked)
            return
        did = self.moved(A, {USDC_A.id: -gives, ETH_A.id: -3}, fee)
        booked += [booking.fee("s", hop, did, ETH_A.id), *booking.departure("s", hop, (approval, did), ETH_A.id)]
        if end == "in transit":
            self.in_flight[transit(hop.id)] = gives
        elif end == "delivered":
            booked.append(booking.arrival("s", hop, Amount(USDC_B, takes), self.moved(B, {USDC_B.id: takes})))
        else:
            back = min(takes, gives)
            booked.append(booking.refund("s", hop, Amount(USDC_A, back), self.moved(A, {USDC_A.id: back})))
        self.book = self.book.with_entries(booked)


UNITS = st.integers(1, 2**256)
LEGS = st.tuples(UNITS, UNITS, st.integers(0, 10**20), st.sampled_from(["in transit", "delivered", "refunded", "reverted"]))
STRANGERS = st.tuples(st.sampled_from([(A, USDC_A.id), (B, USDC_B.id), (A, ETH_A.id)]), UNITS, st.sampled_from([1, -1]))


@given(st.lists(LEGS | STRANGERS, max_size=12))
def test_book__any_sagas_deposits_and_withdrawals__wallets_are_the_chains_and_nothing_is_made_or_lost(steps):
    chains = Chains()
    for number, step in enumerate(steps):
        if len(step) == 3:
            (account, token), units, sign = step
            chains.stranger(account, token, sign * units)
        else:
            gives, takes, fee, end = step
            chains.story(leg(units=gives, name=str(number)), takes, fee, end)
    for account, token in ((A, USDC_A.id), (B, USDC_B.id), (A, ETH_A.id), (B, ETH_B.id)):
        assert chains.book.held(account, token) == chains.wallets[token]
        assert sum(units for (_, name), units in chains.book.balances().items() if name == token) == 0
    assert {name: units for (name, _), units in chains.book.in_transit().items()} == chains.in_flight
