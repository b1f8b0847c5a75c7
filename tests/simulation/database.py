"""The journal's database for one schedule: the real schema in memory, or a durable file for a share of the seeds."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, StaticPool, create_engine, event

from coordinator.clock import SimulatedClock
from coordinator.journal.store import Journal
from tests.simulation.boundary import Life, WatchedJournal


@dataclass(frozen=True)
class Database:
    """Opens a journal for a life; whoever dies leaves the database as the last committed transaction left it."""

    clock: SimulatedClock
    engine: Engine | None = None
    path: Path | None = None

    def journal(self, life: Life) -> WatchedJournal:
        if self.engine is not None:
            return WatchedJournal(self.engine, self.clock, life)
        opened = Journal.open(self.path or Path(), self.clock)
        return WatchedJournal(opened._engine, self.clock, life)


@contextmanager
def database(clock: SimulatedClock, *, durable: bool) -> Iterator[Database]:
    """A fresh, empty journal. `durable`: a file, opened anew by every life as in production; else this process's one memory database."""
    if not durable:
        connection, engine = _memory()
        connection.deserialize(_template())
        yield Database(clock, engine=engine)
        return
    folder = Path(tempfile.mkdtemp(prefix="simulation-"))
    try:
        yield Database(clock, path=folder / "journal.sqlite3")
    finally:
        shutil.rmtree(folder)


@cache
def _memory() -> tuple[sqlite3.Connection, Engine]:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute("PRAGMA foreign_keys=ON")
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    event.listen(engine, "begin", lambda opened: opened.exec_driver_sql("BEGIN IMMEDIATE"))
    return connection, engine


@cache
def _template() -> bytes:
    """A journal file as `Journal.open` makes it, without the write-ahead log, which memory has none of."""
    with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
        path = Path(folder) / "journal.sqlite3"
        Journal.open(path, SimulatedClock()).close()
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
        image = connection.serialize()
        connection.close()
        return image
