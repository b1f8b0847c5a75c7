"""`apply`: carry out a plan, or go on with one that was begun. The only command that signs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from coordinator.app import App
from coordinator.commands.session import Session
from coordinator.exits import Exit
from coordinator.journal.store import AlreadyApplied
from coordinator.lock import sole_actor
from coordinator.plan import Plan
from coordinator.planfile import read
from coordinator.proposal import judge, propose, unfinished
from coordinator.saga.machine import SagaState, State
from coordinator.show import tables
from coordinator.show.output import Output
from coordinator.show.progress import Progress
from coordinator.turn import look, open_sagas
from coordinator.views.ledger import residual
from coordinator.views.transfers import saga_rows
from coordinator.views.words import Names


async def apply(session: Session, file: Path | None, patience: float | None, replans: int) -> Exit:
    """Apply the plan in `file`, or without one finish every saga that is under way.

    `patience`: seconds to watch. `replans`: how often to plan again, from where value came to rest, when legs did not happen.
    """
    plan = read(file) if file else None
    with sole_actor(session.treasury.database):
        async with session.app(keys=True) as app:
            refused = await begin(app, plan, session.out) if plan else None
            if refused is not None:
                return refused
            session.acting = bool(open_sagas(app))
            return await _finish(app, session.out, patience, replans)


async def begin(app: App, plan: Plan, out: Output) -> Exit | None:
    """Hold the plan against the world as it is now, then write down that it begins. A refusal's code, or None."""
    if app.journal.plan(plan.id):
        out.error(f"plan {plan.id[:12]} was applied before; a plan is applied at most once. Make a new one with: coordinator plan")
        return Exit.STALE
    await app.check_tokens()
    seen = await look(app)
    if seen.open_sagas:
        out.error(f"saga {seen.open_sagas[0].id} is under way; finish it first with: coordinator apply --resume")
        return Exit.BLOCKED
    verdict = await judge(app, plan, seen)
    for moved in verdict.moved:
        out.error(f"stale: {moved}")
    if verdict.moved:
        out.note("Nothing was sent. Make a new plan with: coordinator plan")
        return Exit.STALE
    for objection in verdict.objections:
        out.error(f"refused by {objection}")
    if verdict.objections:
        out.note("Nothing was sent. Mend what is said above, then make a new plan with: coordinator plan")
        return Exit.BLOCKED
    try:
        app.journal.begin(plan)
    except AlreadyApplied as problem:
        out.error(str(problem))
        return Exit.STALE
    return None


async def _finish(app: App, out: Output, patience: float | None, replans: int) -> Exit:
    """Drive what is under way to its end, and what takes up from it; then say what happened and hold the books against the chains."""
    try:
        async with asyncio.timeout(patience):
            ends = await carry_out(app, out, replans)
    except TimeoutError:
        out.note("Stopped watching after the time given. Go on with: coordinator apply --resume")
        return Exit.RUNNING
    if not ends:
        out.note("Nothing is under way.")
        return Exit.OK
    seen = await look(app)
    names = Names(app.treasury)
    rows = [row for saga in ends for row in saga_rows(app, saga, names)]
    view = {"schema": "coordinator/apply@1", "transfers": rows, "residual_units": residual(seen.lines)}
    out.data(view, tables.transfers)
    return _outcome(ends, out)


async def carry_out(app: App, out: Output, replans: int) -> list[SagaState]:
    """Every saga that is under way, and up to `replans` that take up from what they left undone, in the order they ended."""
    ends: list[SagaState] = []
    while under_way := [saga.id for saga in open_sagas(app)]:
        newest = [await _drive(app, saga, out) for saga in under_way]
        ends += newest
        if any(leg.parked for saga in newest for leg in saga.legs.values()):
            break
        if len(ends) <= replans:
            await _take_up(app, out)
    return ends


async def _take_up(app: App, out: Output) -> None:
    """Begin a plan from where the value of legs that did not happen rests, if there is one and no rule stands against it."""
    if not unfinished(app):
        return
    seen = await look(app)
    plan = (await propose(app, seen)).plan
    verdict = await judge(app, plan, seen)
    for objection in verdict.objections:
        out.error(f"not planned again, refused by {objection}")
    if plan.legs and not verdict.objections:
        out.note(f"Some legs did not happen; going on from where their value rests, with {len(plan.legs)} leg(s)")
        app.journal.begin(plan)


async def _drive(app: App, saga: str, out: Output) -> SagaState:
    with Progress(Names(app.treasury), out) as progress:
        return await app.executor.run(saga, progress.show)


def _outcome(ends: list[SagaState], out: Output) -> Exit:
    """Judged by the newest saga: what an earlier one left undone, it took up."""
    parked = [leg for saga in ends for leg in saga.legs.values() if leg.parked]
    for leg in parked:
        out.error(f"leg {leg.leg.id[:8]} needs you: {leg.parked}; when mended: coordinator unpark {leg.leg.id[:8]} --reason …")
    if parked:
        out.note("Everything else goes on. Look with: coordinator transfers; when it is mended: coordinator apply --resume")
        return Exit.IN_DOUBT
    if all(leg.state is State.DELIVERED for leg in ends[-1].legs.values()):
        out.note("Every leg was delivered. Next: coordinator status")
        return Exit.OK
    out.note("Some legs did not happen; nothing is lost, what they would have moved rests where it was. Next: coordinator plan")
    return Exit.COMPENSATED
