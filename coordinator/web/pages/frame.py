"""What every page has around it: which treasury, on which kind of networks, how fresh, and what is wrong with the looking."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from coordinator.config.treasury import Treasury
from coordinator.web.watcher import Watcher

HERE = {"127.0.0.1", "localhost", "::1"}
PAGES = (
    ("overview", "Overview", "/", "o"),
    ("holdings", "Holdings", "/holdings", "h"),
    ("policy", "Policy", "/policy", "d"),
    ("plans", "Plans", "/plans", "p"),
    ("transfers", "Transfers", "/transfers", "t"),
    ("ledger", "Ledger", "/ledger", "l"),
    ("network", "Network", "/network", "n"),
    ("audit", "Audit", "/audit", "a"),
)


def frame(watcher: Watcher, page: str) -> dict[str, Any]:
    glance, now = watcher.glance, watcher.app.clock.now()
    status = glance.status
    return {
        "page": page,
        "pages": PAGES,
        "treasury": watcher.app.treasury.name,
        "mode": mode(watcher.app.treasury),
        "in_sync": status["in_sync"] if status else None,
        "now": now,
        "looked": glance.taken,
        "every": round(watcher.every),
        "stale": watcher.stale,
        "problem": glance.problem,
        "events": watcher.records.extent[1],
    }


def mode(treasury: Treasury) -> str:
    """SIMULATED (in memory), LOCAL (every endpoint is on this machine) or LIVE."""
    kinds = {settings.kind for settings in treasury.chains.values()}
    if kinds == {"simulated"}:
        return "SIMULATED"
    return "LOCAL" if set(hosts(treasury)) <= HERE else "LIVE"


def hosts(treasury: Treasury) -> Iterable[str]:
    """Where the endpoints are: hosts only, because addresses may hold keys."""
    return (urlsplit(one.url).hostname or "" for settings in treasury.chains.values() for one in settings.endpoints)
