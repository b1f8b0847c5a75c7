"""The watcher: looks at the treasury again and again without keys, keeps the newest look, and says when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import DatabaseError

from chains.errors import Fault
from coordinator.app import App
from coordinator.turn import Seen, look
from coordinator.views import status
from coordinator.web.records import Records

LOOK_EVERY = 15.0
POLL_EVERY = 1.0  # seconds between two questions whether the journal has grown
SOON = 3.0  # seconds from a change of the journal to a look
MOST_READERS = 200


@dataclass(frozen=True, slots=True)
class Glance:
    """The newest look that succeeded, `taken` then (unix seconds), and what went wrong since, if anything did."""

    taken: int | None = None
    seen: Seen | None = None
    status: Mapping[str, Any] | None = None
    problem: str = ""


class Crowded(Exception):
    """More readers of the event stream than one process serves."""


@dataclass
class Watcher:
    """`every`: seconds between two looks. Readers share them: a page never asks a network itself."""

    app: App
    every: float = LOOK_EVERY
    glance: Glance = field(default_factory=Glance)
    closing: bool = False
    _readers: set[asyncio.Event] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.records = Records(self.app)

    @property
    def stale(self) -> bool:
        """True when the newest look is older than three should be."""
        return self.glance.taken is None or self.app.clock.now() - self.glance.taken > 3 * self.every + 10

    @property
    def passed(self) -> int:
        """Seconds since the newest look; every age in it has grown by as much."""
        return 0 if self.glance.taken is None else max(0, self.app.clock.now() - self.glance.taken)

    async def look(self) -> None:
        """Look once. A look that fails leaves the one before it in place, with the reason beside it."""
        try:
            seen = await look(self.app, record=False)
            self.records.refresh()
            self.glance = Glance(self.app.clock.now(), seen, status.status(self.app, seen))
        except Fault as fault:
            self.glance = replace(self.glance, problem=str(fault))
        except (OSError, DatabaseError) as problem:
            self.glance = replace(self.glance, problem=f"{self.app.treasury.database}: {type(problem).__name__}")
        self._tell()

    async def run(self) -> None:
        """Look and poll for ever."""
        while True:
            await self.look()
            await self._rest()

    async def _rest(self) -> None:
        """Until the next look is due, which is sooner after something was written: balances have moved then."""
        waited, due = 0.0, self.every
        while waited < due:
            await self.app.clock.sleep(POLL_EVERY)
            waited += POLL_EVERY
            if self._grown():
                due = min(due, waited + SOON)

    def _grown(self) -> bool:
        """Whether the journal has; readers are told."""
        try:
            grown = self.records.refresh()
        except DatabaseError as problem:
            self.glance = replace(self.glance, problem=f"{self.app.treasury.database}: {type(problem).__name__}")
            return False
        if grown:
            self._tell()
        return grown

    def close(self) -> None:
        """The server stops: readers are sent home."""
        self.closing = True
        self._tell()

    def _tell(self) -> None:
        for reader in self._readers:
            reader.set()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever there is something new. Raises Crowded."""
        if len(self._readers) >= MOST_READERS:
            raise Crowded(f"{MOST_READERS} readers are connected; close some pages")
        news = asyncio.Event()
        news.set()  # whoever connects is told at once where things stand, so a restart loses nothing
        self._readers.add(news)
        try:
            yield news
        finally:
            self._readers.discard(news)

    @property
    def mark(self) -> dict[str, Any]:
        """What the event stream says: enough to know that a page is no longer the newest."""
        return {"looked": self.glance.taken, "events": self.records.extent[1], "problem": self.glance.problem}
