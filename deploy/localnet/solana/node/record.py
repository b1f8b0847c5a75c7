"""One landed transaction: what happened, in which slot, and how to undo it while it is not final."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

Images = Mapping[Pubkey, Account | None]


@dataclass(frozen=True, slots=True)
class Keys:
    """A transaction's accounts: named in the message, then those loaded from lookup tables."""

    static: tuple[Pubkey, ...]
    loaded_writable: tuple[Pubkey, ...]
    loaded_readonly: tuple[Pubkey, ...]

    def all(self) -> tuple[Pubkey, ...]:
        return self.static + self.loaded_writable + self.loaded_readonly


@dataclass(frozen=True, slots=True)
class Balances:
    """Lamports and token balances of every account, before or after, in the order of `Keys.all()`."""

    lamports: tuple[int, ...]
    tokens: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Landed:
    """`err` is a TransactionError in JSON or None; `meta` is LiteSVM's own record (logs, fee, units, ...).

    `undo` holds the writable accounts as they were before; it is emptied when the transaction is final.
    """

    transaction: VersionedTransaction
    slot: int
    time: int
    keys: Keys
    err: Any
    meta: dict[str, Any]
    before: Balances
    after: Balances
    undo: dict[Pubkey, Account | None]
    changed: frozenset[Pubkey]

    @property
    def signature(self) -> Signature:
        return self.transaction.signatures[0]
