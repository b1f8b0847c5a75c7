"""The node's time: slots, block heights, blockhashes with their window of 150, commitment by distance."""

from __future__ import annotations

import time

from solders.hash import Hash

MAX_AGE = 150
"""A blockhash is usable for this many blocks after its own (MAX_PROCESSING_AGE)."""
HEIGHT_BEHIND_SLOT = 20_000_000
"""On a real cluster the block height is below the slot (skipped slots); code that mixes them must fail here too."""
SLOT_HASHES = 512
SLOTS_PER_EPOCH = 432_000
COMMITMENTS = ("processed", "confirmed", "finalized")
CONFIRM_SLOTS = 1


class Slots:
    """Counts slots and knows each one's blockhash. Times are whole seconds of Unix time."""

    def __init__(self, first: int, first_hash: Hash, *, slot_ms: int, finalize_slots: int, start_time: int | None) -> None:
        self.first = self.now = first
        self.slot_ms = slot_ms
        self.finalize_slots = finalize_slots
        self._start_time = int(time.time()) if start_time is None else start_time
        self._hash_of: dict[int, Hash] = {first: first_hash}
        self._born: dict[Hash, int] = {first_hash: first}

    def advance(self, blockhash: Hash) -> None:
        self.now += 1
        self._hash_of[self.now] = blockhash
        self._born[blockhash] = self.now
        oldest = self.now - MAX_AGE - self.finalize_slots
        expired = next(iter(self._born))
        if self._born[expired] < oldest:
            del self._born[expired]

    def abandon(self, depth: int, blockhash: Hash) -> None:
        """The last `depth` slots were a losing fork: their blockhashes die, the current slot gets a new one."""
        for slot in range(self.now - depth + 1, self.now + 1):
            self._born.pop(self._hash_of[slot], None)
        self._hash_of[self.now] = blockhash
        self._born[blockhash] = self.now

    def at(self, commitment: str) -> int:
        """The newest slot that has reached this commitment."""
        back = {"processed": 0, "confirmed": CONFIRM_SLOTS, "finalized": self.finalize_slots}[commitment]
        return max(self.first, self.now - back)

    def commitment_of(self, slot: int) -> str:
        """The highest commitment a slot has reached."""
        if slot <= self.at("finalized"):
            return "finalized"
        return "confirmed" if slot <= self.at("confirmed") else "processed"

    def height(self, slot: int) -> int:
        return slot - HEIGHT_BEHIND_SLOT

    def time_of(self, slot: int) -> int:
        return self._start_time + (slot - self.first) * self.slot_ms // 1000

    def latest(self, commitment: str) -> tuple[Hash, int]:
        """The newest usable blockhash of this commitment and the last block height at which it is valid."""
        slot = self.at(commitment)
        while self._hash_of[slot] not in self._born and slot > max(self.first, self.now - MAX_AGE):
            slot -= 1
        return self._hash_of[slot], self.height(slot) + MAX_AGE

    def hash_of(self, slot: int) -> Hash | None:
        return self._hash_of.get(slot)

    def is_recent(self, blockhash: Hash, commitment: str = "processed") -> bool:
        """Whether the bank of this commitment takes it: neither too old for that bank nor newer than it."""
        born = self._born.get(blockhash)
        return born is not None and 0 <= self.at(commitment) - born <= MAX_AGE

    def newest_hashes(self) -> list[tuple[int, Hash]]:
        """What the SlotHashes sysvar holds: up to 512 slots before the current one, newest first."""
        oldest = max(self.first, self.now - SLOT_HASHES)
        return [(slot, self._hash_of[slot]) for slot in range(self.now - 1, oldest - 1, -1)]
