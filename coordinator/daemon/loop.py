"""The loop: one turn after another, each from what is. First start, schedule and recovery are the same path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from coordinator.clock import Clock
from coordinator.daemon.supervisor import Supervisor
from coordinator.daemon.turns import FRUITLESS, Turn, Turns

LONGEST_PAUSE = 900.0  # seconds between two turns, however often they came to nothing
STALL = 900.0  # seconds of thinking (not of watching transfers) after which the watchdog is left to bark
BEAT_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `every`: between two turns. `grace`: how long what was begun may go on after the word to stop."""

    every: float = 60.0
    grace: float = 60.0

    def pause(self, fruitless: int) -> float:
        """Twice as long after each turn in a row that came to nothing, up to a limit that `every` may exceed."""
        return max(self.every, min(LONGEST_PAUSE, self.every * 2.0 ** min(fruitless, 10)))


@dataclass
class Loop:
    """`turn`: makes one turn, acting if it is time. `acting`: whether something that was begun has not ended."""

    turn: Callable[[], Awaitable[Turn]]
    acting: Callable[[], bool]
    clock: Clock
    turns: Turns
    pace: Pace
    supervisor: Supervisor
    thinking_since: int | None = None

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> Turn | None:
        """Turn after turn until `stop` is set, or one. Returns the newest turn; None when it was stopped before it came to anything."""
        beating = asyncio.create_task(self._beat())
        newest, fruitless = None, 0
        try:
            while not stop.is_set():
                turn = await self._one(stop)
                if turn is None:
                    break
                newest = turn
                self.turns.append(turn)
                self.supervisor.status(f"{turn.outcome}: {turn.reason}")
                if once:
                    break
                fruitless = fruitless + 1 if turn.outcome in FRUITLESS else 0
                await self._first(stop, self.pace.pause(fruitless))
        finally:
            self.supervisor.stopping()
            await _end(beating)
        return newest

    async def _one(self, stop: asyncio.Event) -> Turn | None:
        """One turn. After the word to stop it may go on for `grace` seconds if something was begun, and is dropped at once otherwise.

        Dropping is safe at every moment, like a power cut: the journal knows what was sent, the next start looks and goes on.
        """
        self.thinking_since = self.clock.now()
        work = asyncio.ensure_future(self.turn())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and self.acting():
                self.supervisor.status(f"finishing what was begun, {self.pace.grace:g} s at most")
                await self._first(work, self.pace.grace)
            return work.result() if work.done() else None
        finally:
            self.thinking_since = None
            await _end(stopping)
            await _end(work)

    async def _first(self, what: asyncio.Event | asyncio.Future[Turn], seconds: float) -> None:
        """Until `what` happens or the seconds have passed."""
        waiting = asyncio.create_task(what.wait()) if isinstance(what, asyncio.Event) else what
        passing = asyncio.create_task(self.clock.sleep(seconds))
        await asyncio.wait({waiting, passing}, return_when=asyncio.FIRST_COMPLETED)
        await _end(passing)
        if waiting is not what:
            await _end(waiting)

    async def _beat(self) -> None:
        every = min(BEAT_EVERY, self.supervisor.every or BEAT_EVERY)
        while True:
            if not self.stalled:
                self.supervisor.alive()
                self.turns.beat()
            await asyncio.sleep(every)

    @property
    def stalled(self) -> bool:
        """A turn that has thought for too long without anything under way: only a restart helps."""
        return self.thinking_since is not None and self.clock.now() - self.thinking_since > STALL and not self.acting()


async def _end(task: asyncio.Future[object] | asyncio.Future[Turn] | asyncio.Task[object] | asyncio.Future[None]) -> None:
    """Cancel what has not ended, and wait until it has. What a done task came to is its owner's business."""
    if task.done():
        return
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
