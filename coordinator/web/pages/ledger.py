"""The ledger: balances by account, the newest entries, and the books against the chains."""

from __future__ import annotations

from typing import Any

from coordinator.views import ledger as view
from coordinator.web.watcher import Watcher

MOST = 500


def ledger(watcher: Watcher, kind: str | None, last: int) -> dict[str, Any]:
    """`kind`: only accounts whose first word it is (wallet, transit, expense, exchange, equity)."""
    shown = view.ledger(watcher.app, min(last, MOST))
    balances = [{**row, "kind": row["account"].partition(":")[0]} for row in shown["balances"]]
    seen = watcher.glance.seen
    gaps = view.residual(seen.lines) if seen else None
    return {
        "kinds": list(dict.fromkeys(row["kind"] for row in balances)),
        "chosen": kind,
        "balances": [row for row in balances if kind is None or row["kind"] == kind],
        "entries": shown["entries"][::-1],
        "last": last,
        "count": len(watcher.records.entries),
        "gaps": gaps,
        "open_gaps": {token: units for token, units in gaps.items() if units != "0"} if gaps else {},
    }
