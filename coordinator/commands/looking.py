"""Commands that only look: status, transfers, ledger, show."""

from __future__ import annotations

from pathlib import Path

from coordinator.commands.session import Session
from coordinator.exits import Exit


async def status(session: Session) -> Exit:
    from coordinator.turn import look

    async with session.app() as app:
        seen = await look(app)

        from coordinator.show import tables  # late: loaded when the questions have been asked
        from coordinator.views import status as view

        session.out.data(view.status(app, seen), tables.status)
    return Exit.OK


async def transfers(session: Session) -> Exit:
    from coordinator.show import tables
    from coordinator.views import transfers as view

    async with session.app() as app:
        session.out.data(view.transfers(app), tables.transfers)
    return Exit.OK


async def ledger(session: Session, last: int) -> Exit:
    from coordinator.show import tables
    from coordinator.views import ledger as view

    async with session.app() as app:
        session.out.data(view.ledger(app, last), tables.ledger)
    return Exit.OK


async def verify(session: Session) -> Exit:
    """The journal's chain of hashes."""
    from coordinator.journal.store import verify as wrong

    database = session.treasury.database
    if not database.exists():
        session.out.error(f"{database}: there is no journal; look first with coordinator status, or check state.database")
        return Exit.ERROR
    async with session.app() as app:
        problem = wrong(app.journal)
    view = {"schema": "coordinator/audit@1", "journal": str(database), "holds": not problem, "problem": problem}
    if not problem:
        session.out.data(view, lambda _, console: console.print(f"{database}: every event follows from the one before it", soft_wrap=True))
        return Exit.OK
    session.out.data(view, lambda _, console: None)
    session.out.error(f"{database}: {problem}; stop, and restore it from a backup")
    return Exit.ERROR


async def show(session: Session, file: Path) -> Exit:
    """A plan file at any time: also when it is stale, which it then says."""
    from coordinator.planfile import read
    from coordinator.show import tables
    from coordinator.views import plan as view
    from coordinator.views.words import Names

    plan = read(file)
    session.out.data(view.plan(plan, Names(session.treasury)), tables.plan)
    if session.clock.now() > plan.expires:
        session.out.note(f"stale: it expired {session.clock.now() - plan.expires} s ago and can no longer be applied")
    if plan.config != session.treasury.config_hash:
        session.out.note("stale: the configuration has changed since it was made")
    return Exit.OK
