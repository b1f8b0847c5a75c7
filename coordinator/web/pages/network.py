"""Network health: how old each chain's newest height is, who has to agree, where prices come from, how the rails did so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from coordinator.config.quantities import show_rate
from coordinator.turn import Seen
from coordinator.web.pages.transfers import OPEN, percentile
from coordinator.web.watcher import Watcher


def network(watcher: Watcher) -> dict[str, Any]:
    status, seen = watcher.glance.status, watcher.glance.seen
    heights = {row["id"]: row for row in status["chains"]} if status else {}
    return {
        "chains": [_chain(watcher, str(chain), heights.get(str(chain))) for chain in watcher.app.treasury.chains],
        "prices": _prices(status, seen, watcher.passed) if status and seen else [],
        "refused": status["prices_refused"] if status else {},
        "rails": [_rail(watcher, rail) for rail in watcher.app.treasury.rails],
    }


def _prices(status: Mapping[str, Any], seen: Seen, passed: int) -> list[dict[str, Any]]:
    known = seen.portfolio.prices.by_asset
    return [{**row, "age_s": row["age_s"] + passed, "spread": show_rate(known[row["asset"]].spread)} for row in status["prices"]]


def _chain(watcher: Watcher, chain: str, row: dict[str, Any] | None) -> dict[str, Any]:
    settings = next(s for id_, s in watcher.app.treasury.chains.items() if str(id_) == chain)
    domains = sorted({one.trust_domain for one in settings.endpoints})
    return {
        "id": chain,
        "name": settings.name,
        "kind": settings.kind,
        "height": row["height"] if row else None,
        "age": row["age_s"] + watcher.passed if row else None,
        "quorum": settings.quorum,
        "domains": domains,
        "hosts": sorted({urlsplit(one.url).hostname or "" for one in settings.endpoints}),
        "spare": len(domains) - settings.quorum,
    }


def _rail(watcher: Watcher, rail: str) -> dict[str, Any]:
    rows = [row for row in watcher.records.rows if row["rail"] == rail]
    took = sorted(row["seconds"] for row in rows if row["state"] == "delivered")
    return {
        "name": rail,
        "begun": len(rows),
        "delivered": len(took),
        "open": sum(row["state"] in OPEN for row in rows),
        "not_done": sum(row["state"] in {"refunded", "abandoned"} for row in rows),
        "p50": percentile(took, 50),
        "p95": percentile(took, 95),
    }
