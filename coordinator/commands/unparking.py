"""`unpark`: a person has looked at a leg that stopped for them, and lets it go on; nothing is sent by this command itself."""

from __future__ import annotations

from coordinator.commands.session import Session
from coordinator.exits import Exit
from coordinator.lock import sole_actor
from coordinator.saga.machine import Resumed
from coordinator.turn import open_sagas


async def unpark(session: Session, leg: str, reason: str) -> Exit:
    """`leg`: its id or the beginning of it, as `transfers` shows it. The reason is kept in the journal for ever."""
    with sole_actor(session.treasury.database):
        async with session.app() as app:
            stopped = [(saga.id, one) for saga in open_sagas(app) for one in saga.parked]
            found = [(saga, one) for saga, one in stopped if one.leg.id.startswith(leg)]
            if len(found) != 1:
                known = ", ".join(one.leg.id[:8] for _, one in stopped) or "none"
                session.out.error(f"{len(found)} parked legs begin with {leg!r}; parked now: {known}")
                return Exit.USAGE
            saga, one = found[0]
            app.journal.record(saga, one, [Resumed(reason)])
    session.out.note(f"Leg {one.leg.id[:8]} goes on with: coordinator apply --resume (it had stopped because: {one.parked})")
    return Exit.OK
