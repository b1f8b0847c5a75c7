"""One coordinator at a time may act for a journal: a file lock that the system drops when its holder dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coordinator.exits import Ended


class Occupied(Ended):
    """Another process acts for this journal now."""


@contextmanager
def sole_actor(database: Path) -> Iterator[None]:
    """Hold `<database>.lock`. Raises Occupied at once when it is taken; looking at the treasury needs no lock."""
    path = database.with_name(database.name + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Occupied(f"another coordinator acts for {database} (apply, or the daemon); wait for it, or stop it first") from None
        yield
