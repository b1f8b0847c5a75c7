"""`why-not`: which gate keeps the treasury from acting, and the smallest change that would open it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.commands.session import Session
from coordinator.exits import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from policies.base import Decision, Targets


async def why_not(session: Session) -> Exit:
    """A fresh look, every gate of its decision told. Exit 10 when it is time to act, 0 when not."""
    from coordinator.turn import look

    async with session.app() as app:
        seen = await look(app)
        session.out.data(view(seen.portfolio.time, seen.targets, seen.decision), draw)
    return Exit.CHANGES if seen.decision.act else Exit.OK


def last(session: Session, count: int) -> Exit:
    """The newest recorded decisions, without asking any chain."""
    from collections import deque

    from coordinator.decisions import Decisions

    records = deque(Decisions(session.treasury.database).records(), maxlen=count)
    if not records:
        session.out.note("No decision is recorded yet; one is with every look: coordinator status")
        return Exit.OK
    views = [view(record.portfolio.time, record.targets, record.decision) for record in records]
    session.out.data({"schema": "coordinator/decisions@1", "decisions": views}, lambda all_, console: _draw_all(all_["decisions"], console))
    return Exit.OK


def view(time: int, targets: Targets, decision: Decision) -> dict[str, Any]:
    """`stopped_by`: the gates that are shut, empty when it is time to act."""
    gates = [{"name": g.name, "opens": g.opens, "found": g.found, "needed": g.needed, "nearest": g.nearest} for g in decision.gates]
    return {
        "schema": "coordinator/why-not@1",
        "time": time,
        "act": decision.act,
        "reason": decision.reason,
        "stopped_by": [] if decision.act else [gate for gate in gates if not gate["opens"]],
        "gates": gates,
        "told": list(targets.told),
        "closed": dict(targets.closed),
    }


def draw(data: dict[str, Any], console: Console) -> None:
    from policies.drift import moment

    console.print(f"{moment(data['time'])}: {'it is time to act' if data['act'] else 'not acting'}: {data['reason']}", markup=False)
    for gate in data["gates"]:
        console.print(f"  {'open' if gate['opens'] else 'shut'}  {gate['name']}: {gate['found']}", markup=False)
        if not gate["opens"]:
            console.print(f"        needed: {gate['needed']}", markup=False)
            console.print(f"        would open: {gate['nearest'] or 'not known'}", markup=False)
    for line in data["told"]:
        console.print(f"  {line}", markup=False)


def _draw_all(views: list[dict[str, Any]], console: Console) -> None:
    for each in views:
        draw(each, console)
