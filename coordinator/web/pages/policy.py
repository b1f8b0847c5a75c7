"""Drift and policy: each rule with its value, its limit and the distance; the last decision gate by gate; limits used today."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from chains.tokens import Amount
from coordinator.proposal import spent_today
from coordinator.turn import Seen
from coordinator.views.words import Names, usd, whole
from coordinator.web.drawing.bands import bullet, gauge
from coordinator.web.pages.running import running
from coordinator.web.watcher import Watcher


def policy(watcher: Watcher) -> dict[str, Any]:
    seen, status = watcher.glance.seen, watcher.glance.status
    if seen is None or status is None:
        return {"status": None}
    return {
        "status": status,
        "weights": [
            *(("asset", row, _nearest(row), bullet(row)) for row in status["assets"]),
            *(("chain", row, _nearest(row), bullet(row)) for row in status["chains"] if row["low"] or row["high"]),
        ],
        "tokens": _tokens(watcher, seen),
        "gates": seen.decision.gates,
        "told": seen.targets.told,
        "limits": _limits(watcher, seen),
        "daemon": running(watcher),
        "begun": {run.plan.id for run in watcher.records.runs},
        "last_begun": watcher.app.journal.last_begun(),
    }


def _nearest(row: dict[str, Any]) -> str | None:
    """Percentage points to the nearest edge of the band, negative outside; None when the weight is unknown."""
    if row["weight"] is None:
        return None
    weight = Fraction(row["weight"])
    room = [weight - Fraction(row["low"])] if row["low"] is not None else []
    room += [Fraction(row["high"]) - weight] if row["high"] is not None else []
    return f"{float(min(room)):+.2f}" if room else None


def _tokens(watcher: Watcher, seen: Seen) -> list[dict[str, Any]]:
    """Bands on base units: floors and caps of single tokens."""
    names, found = Names(watcher.app.treasury), []
    for position in seen.portfolio.positions:
        band = seen.targets.tokens.get(position.token.id)
        if band is None:
            continue
        low, high = (None if edge is None else Amount(position.token, edge) for edge in (band.low, band.high))
        out = (band.low is not None and position.total < band.low) or (band.high is not None and position.total > band.high)
        found.append(
            {
                "name": names.token(position.token.id),
                "amount": whole(Amount(position.token, position.total)),
                "low": whole(low) if low else None,
                "high": whole(high) if high else None,
                "out": out,
            }
        )
    return found


def _limits(watcher: Watcher, seen: Seen) -> list[dict[str, Any]]:
    limits = watcher.app.treasury.limits
    spent = spent_today(watcher.app, seen.portfolio)
    used = f"{usd(spent)} of {usd(limits.per_day)} USD in the last 24 hours"
    return [
        {"name": "given in a day", "limit": usd(limits.per_day), "used": usd(spent), "bar": gauge(float(spent / limits.per_day), used)},
        {"name": "given in one plan", "limit": usd(limits.per_turn), "used": None, "bar": ""},
        {"name": "given by one leg", "limit": usd(limits.per_leg), "used": None, "bar": ""},
        {"name": "cost of one plan", "limit": usd(limits.cost), "used": None, "bar": ""},
    ]
