"""Gaps among an account's nonces: one that the network waits for and nothing of ours carries holds up all that follow.

It comes about when a transaction that is not ours was seen in the account's pool, and then vanished.
"""

from __future__ import annotations

from chains.base import Chain, Submission
from coordinator.journal.store import Journal


async def gap_below(chain: Chain, journal: Journal, pending: Submission) -> int | None:
    """The nonce that has to be used before `pending` can land and that nothing of ours carries; None when there is none."""
    if pending.sequence is None:
        return None
    awaited = await chain.sequence(pending.sender)
    if awaited is None or awaited >= pending.sequence or journal.has_used(pending.sender, awaited):
        return None
    return awaited
