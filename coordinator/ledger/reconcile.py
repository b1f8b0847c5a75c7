"""Reconcile: a snapshot compared with the book as of the snapshot's own height, every difference named.

First sight of a token is its opening balance. Later, what moved without us is looked up on the chain and
booked as a deposit or withdrawal with its transaction; what no transaction explains goes to
`equity:unexplained` and is reported. A token whose legs are under way is compared, never adjusted: its
gap may be our own value that is just arriving.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from chains.base import Height, Reader, Receipt, Snapshot, Unknown
from chains.ids import AccountId, TokenId
from coordinator.ledger.book import Book
from coordinator.ledger.entry import DEPOSITS, EQUITY, OPENING, UNEXPLAINED, WITHDRAWALS, Entry, transfer, wallet

ERC20_TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""keccak256("Transfer(address,address,uint256)"), the event of EIP-20."""


@dataclass(frozen=True, slots=True)
class Line:
    """One (account, token): what the chain holds and what the book says, both at `height`. `gap` = chain - book, base units.

    `hindered`: why a gap could not be looked into at this look; empty when it could.
    """

    account: AccountId
    token: TokenId
    height: Height
    chain: int | Unknown
    book: int
    under_way: bool
    hindered: str = ""

    @property
    def gap(self) -> int | Unknown:
        return self.chain if isinstance(self.chain, Unknown) else self.chain - self.book


def compare(snapshot: Snapshot, book: Book, under_way: Set[TokenId]) -> tuple[Line, ...]:
    """Pure: every holding of the snapshot against the book at the snapshot's height."""
    return tuple(
        Line(account, token, snapshot.height, units, book.held(account, token, snapshot.height.number), token in under_way)
        for (account, token), units in sorted(snapshot.holdings.items(), key=lambda item: item[0])
    )


async def explain(line: Line, book: Book, reader: Reader, ours: Set[str]) -> tuple[Entry, ...]:
    """Entries that close a gap, each naming what it is. `ours`: references of our own transactions, which are never deposits.

    Raises what the search raises: a gap that could not be looked into stays open, it is not named `unexplained` for ever.
    """
    if isinstance(line.gap, Unknown) or line.under_way:
        return ()
    if not book.knows(line.account, line.token):
        return (_named(line, "opening", line.gap, other=OPENING, memo="opening balance", height=line.height),)
    if line.gap == 0:
        return ()
    found = [] if line.token.is_native else await _foreign_moves(line, book, reader, ours)
    entries = [_moved(line, receipt) for receipt in found]
    rest = line.gap - sum(receipt.moved(line.account, line.token) for receipt in found)
    if rest:
        entries.append(_named(line, "unexplained", rest, other=UNEXPLAINED, memo="no transaction explains this", height=line.height))
    return tuple(entries)


async def _foreign_moves(line: Line, book: Book, reader: Reader, ours: Set[str]) -> list[Receipt]:
    """Final transactions not ours that moved the token of the account, since a difference was last named.

    Not since our own newest posting: a stranger may have paid in while our legs were under way, below that height.
    """
    since = max((p.height for p in book.postings if p.account in EQUITY and p.token == line.token), default=0)
    seen: dict[str, Receipt] = {}
    for topics in _transfers_of(line.account):
        for receipt in await reader.search(_where(line), topics, since):
            seen[receipt.reference] = receipt
    return [
        receipt
        for receipt in seen.values()
        if receipt.final
        and receipt.reference not in ours
        and since < receipt.height.number <= line.height.number
        and receipt.moved(line.account, line.token)
    ]


def _where(line: Line) -> str:
    return line.token.reference if line.token.kind == "erc20" else line.account.address


def _transfers_of(account: AccountId) -> tuple[tuple[str | None, ...], ...]:
    padded = "0x" + account.address.removeprefix("0x").lower().rjust(64, "0")
    return ((ERC20_TRANSFER, padded, None), (ERC20_TRANSFER, None, padded)) if account.chain.namespace == "eip155" else ((),)


def _moved(line: Line, receipt: Receipt) -> Entry:
    units = receipt.moved(line.account, line.token)
    kind, other = ("deposit", DEPOSITS) if units > 0 else ("withdrawal", WITHDRAWALS)
    memo = f"by transaction {receipt.reference}, not ours"
    return _named(line, kind, units, other=other, memo=memo, height=receipt.height, proof=receipt.reference)


def _named(line: Line, kind: str, units: int, *, other: str, memo: str, height: Height, proof: str = "") -> Entry:
    postings = transfer(line.token, units, other, wallet(line.account), height=height.number)
    return Entry(f"{kind}/{line.account}/{line.token}/{proof or height.number}", kind, memo, height.time, postings)


def unexplained(book: Book) -> Mapping[TokenId, int]:
    """What is in `equity:unexplained`, by token, sign as the wallet saw it."""
    return {token: -units for (account, token), units in book.balances().items() if account == UNEXPLAINED}
