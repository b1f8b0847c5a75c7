"""Gas tanks: what each chain holds of its own coin, its floor, and for how many transactions that is enough at past fees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chains.ids import ChainId
from chains.tokens import Amount
from coordinator.ledger.entry import NETWORK_FEES, Entry
from coordinator.turn import Seen
from coordinator.views.words import Names, whole
from coordinator.web.watcher import Watcher

REMEMBERED = 50  # newest transactions of a chain whose mean fee counts


def tanks(watcher: Watcher, seen: Seen) -> list[dict[str, Any]]:
    treasury, names = watcher.app.treasury, Names(watcher.app.treasury)
    held = {position.token.id: position.held for position in seen.portfolio.positions}
    rows = []
    for chain, settings in treasury.chains.items():
        native = settings.native_token
        units, floor = held.get(native.id, 0), treasury.gas_floor(chain)
        fee = mean_fee(watcher.records.entries, chain)
        rows.append(
            {
                "chain": names.chain(chain),
                "asset": native.asset,
                "account": treasury.accounts[chain].address,
                "held": whole(Amount(native, units)),
                "floor": whole(Amount(native, floor)),
                "units": units,
                "low": units < floor,
                "actions": max(0, units - floor) // fee if fee else None,
            }
        )
    return rows


def mean_fee(entries: Sequence[Entry], chain: ChainId) -> int | None:
    """Base units that one of our transactions on the chain cost on average lately; None before the first."""
    fees = [p.units for e in entries for p in e.postings if p.account == NETWORK_FEES and p.token.chain == chain and p.units > 0]
    newest = fees[-REMEMBERED:]
    return sum(newest) // len(newest) if newest else None
