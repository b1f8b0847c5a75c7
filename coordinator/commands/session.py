"""One command's run: configuration, live parts, and every expected failure told in one way with its exit code."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chains.errors import Fault, Misconfigured, Reaction, WrongNetwork
from coordinator.clock import SystemClock
from coordinator.config.errors import ConfigErrors
from coordinator.config.load import load
from coordinator.config.treasury import Treasury
from coordinator.exits import Ended, Exit
from coordinator.show.output import Output

if TYPE_CHECKING:
    from coordinator.app import App

Work = Callable[["Session"], Awaitable[Exit]]


class Session:
    """What a command works with: the treasury as configured, a clock, and where to speak.

    `acting`: a plan was begun, so that from now on nobody may say that nothing was sent.
    """

    def __init__(self, treasury: Treasury, out: Output) -> None:
        self.treasury = treasury
        self.out = out
        self.clock = SystemClock()
        self.acting = False

    def app(self, *, keys: bool = False) -> App:
        """The live parts, to be used in `async with`. `keys`: only where something is signed."""
        from coordinator.app import App  # late: showing help or a wrong configuration needs none of it

        return App.open(self.treasury, self.clock, keys=keys)


def perform(config: Path, out: Output, work: Work) -> Exit:
    """Load the configuration and run. No expected failure leaves a traceback; an unexpected one does, because it is a bug."""
    try:
        session = Session(load(config), out)
    except ConfigErrors as errors:
        out.error(str(errors))
        return Exit.USAGE
    try:
        return asyncio.run(_run(work, session))
    except KeyboardInterrupt:
        out.note("Stopped watching. What was begun is in the journal; go on with: coordinator apply --resume")
        return Exit.RUNNING


async def _run(work: Work, session: Session) -> Exit:
    out = session.out
    try:
        return await work(session)
    except Ended as problem:
        out.error(str(problem))
        return problem.code
    except Fault as fault:
        out.error(str(fault))
        out.note(_BEGUN if session.acting else _NEXT[fault.reaction])
        return Exit.USAGE if isinstance(fault, Misconfigured | WrongNetwork) and not session.acting else Exit.ERROR
    except OSError as problem:
        out.error(f"{problem.filename or 'this machine'}: {problem.strerror or problem}")
        out.note(_BEGUN if session.acting else _BUSY if problem.errno == errno.EADDRINUSE else _MACHINE)
        return Exit.ERROR
    except _broken_journals() as problem:
        out.error(f"{session.treasury.database}: the journal cannot be used: {_cause(problem)}")
        out.note(_BEGUN if session.acting else _JOURNAL)
        return Exit.ERROR


def _broken_journals() -> type[Exception]:
    """What the database layer raises; asked for only when something was raised, because its import takes time."""
    from sqlalchemy.exc import DatabaseError

    return DatabaseError


def _cause(problem: Exception) -> str:
    """The database's own words, without the statement and the values in it."""
    cause = problem.__cause__
    return str(cause) if isinstance(cause, sqlite3.Error) else type(problem).__name__


_BEGUN = "A plan was begun and some of it may have been sent. Look with: coordinator transfers; go on with: coordinator apply --resume"
_MACHINE = "Nothing was sent. Mend the file, folder or disk that is named above"
_BUSY = "Nothing was sent. Another program listens there: stop it, or choose another port with --port"
_JOURNAL = "Nothing was sent. Restore it from a backup, or name another in state.database; never delete it while value is in flight"
_NEXT = {
    Reaction.RETRY: "Nothing was sent. Try again; if it stays so: coordinator doctor",
    Reaction.LOOK: "It may have happened. Look with: coordinator transfers",
    Reaction.UNDO: "Nothing more can go forward here. Look with: coordinator transfers",
    Reaction.REPLAN: "Nothing was sent. Make a new plan with: coordinator plan",
    Reaction.HALT: "Nothing was sent. Mend what is said above, then check with: coordinator doctor",
}
