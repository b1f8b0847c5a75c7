"""Audit: the chain of hashes, checked when the page is asked for, and the newest events of the journal."""

from __future__ import annotations

import json
from typing import Any

from coordinator.journal.store import verify
from coordinator.web.watcher import Watcher

SHOWN = 100


def audit(watcher: Watcher, before: int | None) -> dict[str, Any]:
    """`before`: only events with a lower number."""
    links = list(watcher.app.journal.links())
    if before is not None:
        links = [row for row in links if row["number"] < before]
    newest = links[-SHOWN:][::-1]
    known = {row["leg"] for row in watcher.records.rows}
    return {
        "problem": verify(watcher.app.journal),
        "count": watcher.records.extent[1],
        "rows": [{**row, "name": _name(row["body"]), "known": row["leg"] in known} for row in newest],
        "older": newest[-1]["number"] if newest and newest[-1]["number"] > 1 else None,
    }


def _name(body: str) -> str:
    """The event's class, as the codec writes it."""
    return str(json.loads(body)["is"])
