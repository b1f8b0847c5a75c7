"""The clock: what time it is, and how to wait. Injected everywhere, so that a simulation decides both."""

from __future__ import annotations

import asyncio
import heapq
import math
from typing import Protocol

from chains.clock import START, StillClock, SystemTime


class Clock(Protocol):
    """Unix seconds, and a way to let them pass."""

    def now(self) -> int: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock(SystemTime):
    """The system's clock."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class SimulatedClock(StillClock):
    """A clock on which sleeping takes no time: whoever sleeps shortest wakes first, and the clock stands where it wanted to wake.

    Deterministic as long as all waiting of the event loop goes through `sleep`. Also the clock of a `SimulatedWorld`.
    """

    def __init__(self, start: int = START) -> None:
        super().__init__(start)
        self._sleepers: list[tuple[int, int]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        ticket = (self.now() + max(0, math.ceil(seconds)), self._count)
        heapq.heappush(self._sleepers, ticket)
        try:
            await asyncio.sleep(0)
            while self._sleepers[0] != ticket:  # noqa: ASYNC110 - each earlier sleeper leaves the heap when it wakes or is cancelled
                await asyncio.sleep(0)
            self.advance(max(0, ticket[0] - self.now()))
        finally:
            self._sleepers.remove(ticket)
            heapq.heapify(self._sleepers)
