"""From final receipts to ledger entries: what each event of a leg moves, in postings that cancel.

Three entries tell a leg's story, each named by the transaction that proves it, so that none can be booked
twice: `fee` (any transaction of ours), `depart` (wallet -> in transit) and `arrive` (in transit -> wallet,
through the rail's exchange account). Amounts come from what the chain moved, never from a quote.
"""

from __future__ import annotations

from bridges.base import Leg
from chains.base import Receipt
from chains.ids import TokenId
from chains.tokens import Amount
from coordinator.ledger.entry import NETWORK_FEES, Entry, Posting, exchange, rail_fees, transfer, transit, wallet


def fee(saga: str, leg: Leg, receipt: Receipt, native: TokenId) -> Entry:
    """The network's fee of one of our transactions, failed ones included."""
    postings = transfer(native, receipt.fee, wallet(receipt.sender), NETWORK_FEES, height=receipt.height.number)
    memo = f"network fee on {receipt.chain}"
    return Entry(f"fee/{receipt.chain}/{receipt.reference}", "fee", memo, receipt.height.time, postings, saga, leg.id)


def departure(saga: str, leg: Leg, receipts: tuple[Receipt, ...], native: TokenId) -> tuple[Entry, ...]:
    """What the leg's departure transactions took: the given token into transit, other native coin to the rail's fees.

    More of the given token than the leg gives (rent, when it is the native coin) is the rail's fee too.
    """
    return tuple(entry for receipt in receipts if (entry := _taken(saga, leg, receipt, native)) is not None)


def _taken(saga: str, leg: Leg, receipt: Receipt, native: TokenId) -> Entry | None:
    source, target, height = leg.lane.source.id, leg.lane.target.id, receipt.height.number
    mine = wallet(leg.sender)
    postings: tuple[Posting, ...] = ()
    out = -receipt.moved(leg.sender, source)
    given = min(out, leg.gives.units) if out > 0 else 0
    if given:
        postings += transfer(source, given, mine, transit(leg.id), height=height)
    if out != given:
        postings += transfer(source, out - given, mine, rail_fees(leg.lane.rail), height=height)
    if native not in {source, target} and (beside := -receipt.moved(leg.sender, native)):
        postings += transfer(native, beside, mine, rail_fees(leg.lane.rail), height=height)
    if not postings:
        return None
    memo = f"{leg.gives} leaves {leg.lane.source.chain} by {leg.lane.rail}"
    return Entry(f"depart/{leg.id}/{receipt.reference}", "depart", memo, receipt.height.time, postings, saga, leg.id)


def beside(saga: str, leg: Leg, receipt: Receipt, native: TokenId) -> Entry | None:
    """Native coin that a claim or undo transaction moved beside its network fee (account rent, for one)."""
    if native == leg.lane.target.id or not (moved := receipt.moved(receipt.sender, native)):
        return None
    postings = transfer(native, -moved, wallet(receipt.sender), rail_fees(leg.lane.rail), height=receipt.height.number)
    return Entry(
        f"beside/{leg.id}/{receipt.reference}",
        "beside",
        f"rent and the like of {leg.lane.rail}",
        receipt.height.time,
        postings,
        saga,
        leg.id,
    )


def arrival(saga: str, leg: Leg, amount: Amount, receipt: Receipt) -> Entry:
    """The given token leaves transit for the rail's exchange account; what arrived comes out of it into the recipient's wallet.

    The given side has height 0: only wallet accounts are ever compared with a chain at a height.
    """
    height = receipt.height.number
    given = transfer(leg.gives.token.id, leg.gives.units, transit(leg.id), exchange(leg.lane.rail), height=0)
    taken = transfer(amount.token.id, amount.units, exchange(leg.lane.rail), wallet(leg.recipient), height=height)
    memo = f"{amount} arrives on {amount.token.chain} by {leg.lane.rail}"
    return Entry(f"arrive/{leg.id}/{receipt.reference}", "arrive", memo, receipt.height.time, (*given, *taken), saga, leg.id)


def refund(saga: str, leg: Leg, amount: Amount, receipt: Receipt) -> Entry:
    """What came back to the sender; a difference to what was given stays with the rail."""
    height = receipt.height.number
    token = amount.token.id
    postings: tuple[Posting, ...] = transfer(token, amount.units, transit(leg.id), wallet(leg.sender), height=height)
    if kept := leg.gives.units - amount.units:
        postings += transfer(token, kept, transit(leg.id), rail_fees(leg.lane.rail), height=height)
    return Entry(
        f"refund/{leg.id}/{receipt.reference}",
        "refund",
        f"{amount} came back by {leg.lane.rail}",
        receipt.height.time,
        postings,
        saga,
        leg.id,
    )
