"""Entries and the accounts they move value between. An entry that does not cancel token by token cannot be made."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from chains.ids import AccountId, TokenId


class Unbalanced(ValueError):
    """Postings of one entry that do not sum to zero for some token: a bug."""


@dataclass(frozen=True, slots=True)
class Posting:
    """`units` base units of `token` into `account` (negative: out of it), at a height of the token's chain."""

    account: str
    token: TokenId
    units: int
    height: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One economic event. `id` is made from what happened (leg, transaction), so that posting it again changes nothing."""

    id: str
    kind: str
    memo: str
    at: int
    postings: tuple[Posting, ...]
    saga: str | None = None
    leg: str | None = None

    def __post_init__(self) -> None:
        sums: defaultdict[TokenId, int] = defaultdict(int)
        for posting in self.postings:
            sums[posting.token] += posting.units
        open_sums = {str(token): units for token, units in sums.items() if units}
        if open_sums or not self.postings:
            raise Unbalanced(f"entry {self.id} does not cancel: {open_sums or 'it has no postings'}")


def wallet(account: AccountId) -> str:
    """What rests on a chain at one of our addresses; the side that a snapshot is compared with."""
    return f"wallet:{account}"


def transit(leg: str) -> str:
    """What has left for a leg and not yet come to rest."""
    return f"transit:{leg}"


def exchange(rail: str) -> str:
    """Where one token becomes another (swap, bridge): the balance is what was given less what was taken."""
    return f"exchange:{rail}"


NETWORK_FEES = "expense:network"
OPENING = "equity:opening"
DEPOSITS = "equity:deposits"
WITHDRAWALS = "equity:withdrawals"
UNEXPLAINED = "equity:unexplained"
EQUITY = frozenset({OPENING, DEPOSITS, WITHDRAWALS, UNEXPLAINED})


def rail_fees(rail: str) -> str:
    """Message fees, rent and other native coin that a rail took beside the flow."""
    return f"expense:rail:{rail}"


def transfer(token: TokenId, units: int, source: str, target: str, *, height: int) -> tuple[Posting, Posting]:
    """Two postings that move `units` from one account to another."""
    return Posting(source, token, -units, height), Posting(target, token, units, height)
