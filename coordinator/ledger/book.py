"""The book: balances as a fold of postings, now or as of a height."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chains.ids import AccountId, TokenId
from coordinator.ledger.entry import Entry, Posting, wallet


@dataclass(frozen=True, slots=True)
class Book:
    """Every posting, oldest first."""

    postings: tuple[Posting, ...] = ()

    def with_entries(self, entries: Iterable[Entry]) -> Book:
        return Book((*self.postings, *(posting for entry in entries for posting in entry.postings)))

    def balance(self, account: str, token: TokenId, up_to: int | None = None) -> int:
        """Base units in an account, counting postings at or below height `up_to` of the token's chain (all when None)."""
        return sum(p.units for p in self.postings if p.account == account and p.token == token and (up_to is None or p.height <= up_to))

    def held(self, account: AccountId, token: TokenId, up_to: int | None = None) -> int:
        return self.balance(wallet(account), token, up_to)

    def balances(self) -> Mapping[tuple[str, TokenId], int]:
        """Every (account, token) with a balance other than zero."""
        sums: dict[tuple[str, TokenId], int] = {}
        for posting in self.postings:
            key = (posting.account, posting.token)
            sums[key] = sums.get(key, 0) + posting.units
        return {key: units for key, units in sorted(sums.items()) if units}

    def knows(self, account: AccountId, token: TokenId) -> bool:
        """True once the pair has any posting; an opening balance of zero is booked too, so that a later gain is a deposit."""
        name = wallet(account)
        return any(p.account == name and p.token == token for p in self.postings)

    def in_transit(self) -> Mapping[tuple[str, TokenId], int]:
        """Value that has left and not come to rest, by leg account and token."""
        return {key: units for key, units in self.balances().items() if key[0].startswith("transit:")}
