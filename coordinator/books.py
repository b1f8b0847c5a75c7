"""The books brought up to date with what the chains show: every gap compared, and named where it is nobody's in flight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chains.base import Reader, Snapshot
from chains.errors import Fault
from chains.ids import AccountId, ChainId, TokenId
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
    hindered: dict[tuple[AccountId, TokenId], str] = {}
    for snapshot in snapshots:
        for line in compare(snapshot, book, busy):
            try:
                named += await explain(line, book, readers[snapshot.chain], ours)
            except Fault as fault:  # the gap stays open, with the reason; the next look tries again
                hindered[line.account, line.token] = str(fault)
    if named:
        journal.post(named)
        book = journal.book()
    lines = (line for snapshot in snapshots for line in compare(snapshot, book, busy))
    return tuple(replace(line, hindered=hindered.get((line.account, line.token), "")) for line in lines)
