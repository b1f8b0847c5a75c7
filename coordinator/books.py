"""The books brought up to date with what the chains show: every gap compared, and named where it is nobody's in flight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from chains.base import Reader, Snapshot
from chains.errors import Fault
from chains.ids import ChainId
from coordinator.journal.store import Journal
from coordinator.ledger.entry import Entry
from coordinator.ledger.reconcile import Line, compare, explain
from coordinator.portfolio import chains_under_way, under_way
from coordinator.saga.machine import SagaState


async def bring_up_to_date(
    journal: Journal, readers: Mapping[ChainId, Reader], snapshots: Sequence[Snapshot], sagas: Sequence[SagaState]
) -> tuple[Line, ...]:
    """Compare; book what is new and not ours; return the comparison after that. `sagas`: the open ones."""
    busy = under_way(sagas) | {readers[chain].native.id for chain in chains_under_way(sagas)}
    book, ours = journal.book(), journal.references()
    named: list[Entry] = []
    for snapshot in snapshots:
        for line in compare(snapshot, book, busy):
            with suppress(Fault):  # the gap stays open and shows in the answer; the next look tries again
                named += await explain(line, book, readers[snapshot.chain], ours)
    if named:
        journal.post(named)
        book = journal.book()
    return tuple(line for snapshot in snapshots for line in compare(snapshot, book, busy))
