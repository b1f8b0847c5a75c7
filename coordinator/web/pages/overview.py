"""The overview: is everything as it should be, and if not, what needs a person."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from chains.tokens import Amount
from coordinator.views.words import usd
from coordinator.web.drawing.bands import bullet
from coordinator.web.pages.gas import tanks
from coordinator.web.pages.running import nav_history, running
from coordinator.web.watcher import Watcher
from policies.base import Portfolio

LAST_EVENTS = 8


def overview(watcher: Watcher) -> dict[str, Any]:
    seen, status = watcher.glance.seen, watcher.glance.status
    if seen is None or status is None:
        return {"status": None, "last": last_events(watcher), "needs": list(needs_you(watcher))}
    history, known = nav_history(watcher.records.newest_turns())
    return {
        "status": status,
        "daemon": running(watcher),
        "history": history,
        "known": known,
        "bars": [(row, bullet(row)) for row in (*status["assets"], *status["chains"])],
        "in_flight_usd": in_flight_usd(seen.portfolio),
        "tanks": tanks(watcher, seen),
        "needs": list(needs_you(watcher)),
        "last": last_events(watcher),
        "open": [run for run in watcher.records.runs if not run.saga.ended],
        "oldest_price": max((row["age_s"] + watcher.passed for row in status["prices"]), default=None),
    }


def in_flight_usd(portfolio: Portfolio) -> str | None:
    """Expected value under way between chains at own prices; None while a price is missing."""
    under_way = [Amount(p.token, p.arriving) for p in portfolio.positions if p.arriving]
    if any(amount.token.asset not in portfolio.prices.by_asset for amount in under_way):
        return None
    return usd(sum((portfolio.prices.value(amount) for amount in under_way), Fraction(0)))


def needs_you(watcher: Watcher) -> Iterable[dict[str, str]]:
    """What waits for a person: the problem, where it is told in full, and the next command."""
    if watcher.glance.problem:
        yield _need("The treasury cannot be looked at", watcher.glance.problem, "/network", "coordinator doctor")
    for run in watcher.records.runs:
        for row in run.rows:
            if row["needs_you"] and not run.saga.ended:
                yield _parked(row)
    seen, status = watcher.glance.seen, watcher.glance.status
    if seen is None or status is None:
        return
    for asset, why in status["prices_refused"].items():
        yield _need(f"{asset} has no price", why, "/network", "coordinator doctor")
    yield from (_low(tank) for tank in tanks(watcher, seen) if tank["low"])
    for gap in status["ledger"]:
        if gap["gap_units"] is not None and not gap["under_way"]:
            found = f"{gap['gap_units']} base units: {gap['why']}"
            yield _need(f"The books and the chain differ in {gap['token']}", found, "/ledger", "coordinator ledger")


def _parked(row: dict[str, Any]) -> dict[str, str]:
    command = f'coordinator unpark {row["leg"][:8]} --reason "…"'
    return _need(f"A transfer of {row['gives']} needs you", row["detail"], f"/transfers/{row['leg']}", command)


def _low(tank: dict[str, Any]) -> dict[str, str]:
    found = f"{tank['held']} {tank['asset']}, the floor is {tank['floor']}"
    return _need(f"{tank['chain']} is low on {tank['asset']} for fees", found, "/holdings", f"send {tank['asset']} to {tank['account']}")


def _need(what: str, why: str, where: str, command: str) -> dict[str, str]:
    return {"what": what, "why": why, "where": where, "command": command}


def last_events(watcher: Watcher) -> list[dict[str, Any]]:
    """The newest facts of all runs, newest first."""
    told = [
        {**fact, "leg": row["leg"], "row": row}
        for run in watcher.records.runs[:5]
        for row in run.rows
        for fact in reversed(run.facts.get(row["leg"], ()))
    ]
    return sorted(told, key=lambda fact: -int(fact["time"]))[:LAST_EVENTS]
