"""`plan` and `solve`: what should be done, without doing it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.commands.session import Session
from coordinator.exits import Exit
from coordinator.show.output import Output

if TYPE_CHECKING:
    from coordinator.offers import Closed
    from coordinator.views.words import Names


async def plan(session: Session, out_file: Path | None, if_due: bool, deadline: float) -> Exit:
    from coordinator import planfile
    from coordinator.proposal import judge, propose
    from coordinator.show import tables
    from coordinator.turn import look
    from coordinator.views import plan as view
    from coordinator.views.words import Names
    from policies.drift import unpriced

    out = session.out
    async with session.app() as app:
        await app.check_tokens()
        seen = await look(app)
        if refusal := unpriced(seen.portfolio):
            out.error(f"no plan: {refusal}")
            return Exit.BLOCKED
        if seen.open_sagas:
            out.error(f"no plan while saga {seen.open_sagas[0].id} is under way; finish it with: coordinator apply --resume")
            return Exit.BLOCKED
        if if_due and not seen.decision.act:
            out.note(f"no plan is due: {seen.decision.reason}")
            return Exit.OK
        proposal = await propose(app, seen, deadline)
        names = Names(app.treasury)
        out.data(view.plan(proposal.plan, names), tables.plan)
        for line in _closed(proposal.closed, names):
            out.note(line)
        if not proposal.plan.legs and proposal.plan.violation:
            out.error("no plan: nothing can be done about what is not met above, see the reasons there")
            return Exit.BLOCKED
        if not proposal.plan.legs:
            out.note("Nothing to do.")
            return Exit.OK
        verdict = await judge(app, proposal.plan, seen)
        for objection in verdict.objections:
            out.error(f"refused by {objection}")
        if verdict.objections:
            out.note("Nothing was sent, and no plan was saved.")
            return Exit.BLOCKED
    if out_file:
        planfile.write(proposal.plan, out_file)
        out.note(f"Saved {out_file}. Next: coordinator apply {out_file}")
    return Exit.CHANGES


def _closed(lanes: Sequence[Closed], names: Names) -> list[str]:
    """Lanes that offer nothing, one line for each rail and kind of reason: a service that is down closes many at once."""
    grouped: dict[tuple[str, str], list[Closed]] = {}
    for closed in lanes:
        grouped.setdefault((closed.lane.rail, closed.why.rpartition(": ")[2]), []).append(closed)
    lines = []
    for (rail, _), same in grouped.items():
        routes = [f"{names.token(closed.lane.source.id)} to {names.token(closed.lane.target.id)}" for closed in same]
        lines.append(f"{rail} offers nothing from {', '.join(routes)}: {same[0].why}")
    return lines


def solve(instance: Path, deadline: float | None, *, verify: Path | None, graph: Path | None, as_json: bool) -> Exit:
    """Plan an instance file without any network, or check a plan against it."""
    from coordinator.planner.command import InstanceError, run_solve, run_verify

    out = Output(as_json)
    try:
        if verify:
            return _verified(run_verify(instance, verify), out)
        answer = run_solve(instance, deadline, graph)
    except InstanceError as problem:
        out.error(str(problem))
        return Exit.USAGE
    except OSError as problem:
        out.error(f"{graph}: the graph cannot be written ({problem.strerror}); name another file with --graph")
        return Exit.USAGE
    if as_json:
        sys.stdout.write(answer.text())
    else:
        out.data(answer.document(), lambda document, console: console.print_json(json.dumps(document)))
    return Exit.OK


def _verified(complaints: list[str], out: Output) -> Exit:
    out.data({"schema": "coordinator/verify@1", "valid": not complaints, "complaints": complaints}, _draw_complaints)
    return Exit.ERROR if complaints else Exit.OK


def _draw_complaints(view: dict[str, object], console: object) -> None:
    lines = view["complaints"] or ["the plan keeps every rule of the instance"]
    for line in lines:  # type: ignore[attr-defined]  # a list of str by construction
        console.print(line, markup=False)  # type: ignore[attr-defined]  # a rich Console
