"""`plan` and `solve`: what should be done, without doing it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from coordinator.commands.session import Session
from coordinator.exits import Exit
from coordinator.show.output import Output


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
        for closed in proposal.closed:
            lane = closed.lane
            out.note(f"{lane.rail} offers nothing from {names.token(lane.source.id)} to {names.token(lane.target.id)}: {closed.why}")
        if not proposal.plan.legs:
            out.note("Nothing to do." if not proposal.plan.violation else "Nothing can be done: see what is not met above.")
            return Exit.OK if not proposal.plan.violation else Exit.BLOCKED
        verdict = await judge(app, proposal.plan, seen)
        for objection in verdict.objections:
            out.error(f"refused by {objection}")
        if verdict.objections:
            return Exit.BLOCKED
    if out_file:
        planfile.write(proposal.plan, out_file)
        out.note(f"Saved {out_file}. Next: coordinator apply {out_file}")
    return Exit.CHANGES


def solve(instance: Path, deadline: float | None, verify: Path | None, as_json: bool) -> Exit:
    """Plan an instance file without any network, or check a plan against it."""
    from coordinator.planner.command import InstanceError, run_solve, run_verify

    out = Output(as_json)
    try:
        if verify:
            return _verified(run_verify(instance, verify), out)
        answer = run_solve(instance, deadline)
    except InstanceError as problem:
        out.error(str(problem))
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
