"""The ledger view: every account's balance, the entries behind them, and the book against the chains."""

from __future__ import annotations

from typing import Any

from chains.base import Unknown
from chains.tokens import Amount
from coordinator.app import App
from coordinator.ledger.entry import Entry
from coordinator.ledger.reconcile import Line
from coordinator.views.words import Names, whole


def ledger(app: App, last: int) -> dict[str, Any]:
    """Balances, and the newest `last` entries."""
    names, tokens = Names(app.treasury), app.treasury.tokens
    balances = [
        {
            "account": account,
            "token": names.token(token),
            "units": str(units),
            "amount": whole(Amount(tokens[token], units)) if token in tokens else None,
        }
        for (account, token), units in app.journal.book().balances().items()
    ]
    return {
        "schema": "coordinator/ledger@1",
        "balances": balances,
        "entries": [_entry(e, app, names) for e in app.journal.entries()[-last:]],
    }


def _entry(entry: Entry, app: App, names: Names) -> dict[str, Any]:
    tokens = app.treasury.tokens
    return {
        "id": entry.id,
        "kind": entry.kind,
        "memo": entry.memo,
        "time": entry.at,
        "postings": [
            {
                "account": p.account,
                "token": names.token(p.token),
                "units": str(p.units),
                "amount": whole(Amount(tokens[p.token], p.units)) if p.token in tokens else None,
            }
            for p in entry.postings
        ],
    }


def residual(lines: tuple[Line, ...]) -> dict[str, str]:
    """Chain minus ledger in base units for every token on every chain; `unknown` where the chain could not be read."""
    return {str(line.token): "unknown" if isinstance(line.gap, Unknown) else str(line.gap) for line in lines}
