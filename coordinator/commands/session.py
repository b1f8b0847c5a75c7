"""One command's run: configuration, live parts, and every expected failure told in one way with its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chains.errors import Fault, Reaction
from coordinator.clock import SystemClock
from coordinator.config.errors import ConfigErrors
from coordinator.config.load import load
from coordinator.config.treasury import Treasury
from coordinator.exits import Exit
from coordinator.show.output import Output

if TYPE_CHECKING:
    from coordinator.app import App

Work = Callable[["Session"], Awaitable[Exit]]


class Session:
    """What a command works with: the treasury as configured, a clock, and where to speak."""

    def __init__(self, treasury: Treasury, out: Output) -> None:
        self.treasury = treasury
        self.out = out
        self.clock = SystemClock()

    def app(self, *, keys: bool = False) -> App:
        """The live parts, to be used in `async with`. `keys`: only where something is signed."""
        from coordinator.app import App  # late: brings the database and, with the first chain, web3 or solana

        return App.open(self.treasury, self.clock, keys=keys)


def perform(config: Path, out: Output, work: Work) -> Exit:
    """Load the configuration and run. No expected failure leaves a traceback; an unexpected one does, because it is a bug."""
    from coordinator.journal.migrate import NewerJournal
    from coordinator.lock import Occupied
    from coordinator.planfile import BadPlanFile

    try:
        return asyncio.run(_run(work, Session(load(config), out)))
    except ConfigErrors as errors:
        out.error(str(errors))
        return Exit.USAGE
    except BadPlanFile as problem:
        out.error(str(problem))
        return Exit.USAGE
    except (Occupied, NewerJournal) as problem:
        out.error(str(problem))
        return Exit.ERROR
    except Fault as fault:
        out.error(str(fault))
        out.note(_NEXT[fault.reaction])
        return Exit.ERROR
    except KeyboardInterrupt:
        out.note("Stopped watching. What was begun is in the journal; go on with: coordinator apply --resume")
        return Exit.RUNNING


async def _run(work: Work, session: Session) -> Exit:
    return await work(session)


_NEXT = {
    Reaction.RETRY: "Nothing was sent. Try again; if it stays so: coordinator doctor",
    Reaction.LOOK: "It may have happened. Look with: coordinator transfers",
    Reaction.UNDO: "Nothing more can go forward here. Look with: coordinator transfers",
    Reaction.REPLAN: "Nothing was sent. Make a new plan with: coordinator plan",
    Reaction.HALT: "Nothing was sent. Mend what is said above, then check with: coordinator doctor",
}
