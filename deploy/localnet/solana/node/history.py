"""The landed transactions, by signature, account and slot, and the accounts as they were at a past slot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from deploy.localnet.solana.node.record import Landed


class History:
    """Everything that landed, oldest first. Past states are exact back to the last finalized slot."""

    def __init__(self) -> None:
        self._by_signature: dict[Signature, Landed] = {}
        self._by_slot: defaultdict[int, list[Landed]] = defaultdict(list)
        self._by_key: defaultdict[Pubkey, list[Landed]] = defaultdict(list)
        self._settled_through = 0

    def __len__(self) -> int:
        return len(self._by_signature)

    def add(self, record: Landed) -> None:
        self._by_signature[record.signature] = record
        self._by_slot[record.slot].append(record)
        for key in dict.fromkeys(record.keys.all()):
            self._by_key[key].append(record)

    def find(self, signature: Signature) -> Landed | None:
        return self._by_signature.get(signature)

    def in_slot(self, slot: int) -> list[Landed]:
        return self._by_slot.get(slot, [])

    def touching(self, key: Pubkey) -> list[Landed]:
        """Oldest first."""
        return self._by_key.get(key, [])

    def after(self, slot: int) -> Iterator[Landed]:
        """The transactions of later slots, newest first."""
        for record in reversed(self._by_signature.values()):
            if record.slot <= slot:
                return
            yield record

    def remove_after(self, slot: int) -> list[Landed]:
        """Forget the transactions of later slots; they come back newest first, the order in which to undo them."""
        gone = list(self.after(slot))
        for record in gone:
            del self._by_signature[record.signature]
            self._by_slot[record.slot].remove(record)
            for key in dict.fromkeys(record.keys.all()):
                self._by_key[key].remove(record)
        return gone

    def settle(self, slot: int) -> None:
        """Slots up to this one are final: their transactions no longer need a way back."""
        for settled in range(max(self._settled_through, slot - 1_000) + 1, slot + 1):
            for record in self.in_slot(settled):
                record.undo = {}
        self._settled_through = slot

    def changed_after(self, slot: int) -> dict[Pubkey, Account | None]:
        """The accounts that later slots changed, as they were at the end of `slot`."""
        images: dict[Pubkey, Account | None] = {}
        for record in self.after(slot):
            images |= record.undo  # newest first, so that the oldest image wins
        return images

    def account_at(self, key: Pubkey, slot: int, now: Account | None) -> Account | None:
        """The account at the end of `slot`, given what it is now."""
        for record in reversed(self.touching(key)):
            if record.slot <= slot:
                break
            now = record.undo.get(key, now)
        return now

    def rewrite(self, key: Pubkey) -> None:
        """The account was set from outside: its past is what it is now, at every commitment."""
        for record in self.touching(key):
            record.undo.pop(key, None)
