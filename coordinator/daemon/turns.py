"""The daemon's record of its turns: what each came to, one JSON line each, in a file beside the journal.

What was decided and on which inputs is in `decisions.jsonl`; here stands what came of it. The file's own time is the heartbeat.
"""

from __future__ import annotations

import json
import os
from collections import deque
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

FILE = "turns.jsonl"
MOST = 8 * 2**20
"""Bytes after which the file is set aside as `turns.jsonl.1` (an older one is replaced) and a new one begun."""

Outcome = Literal[
    "waits",  # no trigger says that it is time
    "nothing",  # it is time, and no leg would help
    "blocked",  # something is out of its band and nothing can be done about it
    "refused",  # a rule stands against the plan
    "moved",  # the world left the plan's envelope before it began
    "would act",  # a dry run ends here
    "would resume",
    "delivered",
    "partly",  # some legs did not happen; nothing is lost
    "needs you",
    "under way",  # stopped before the end; the next start goes on
    "blind",  # a price is missing
    "failed",  # the outside world did not answer
]
FRUITLESS = frozenset({"nothing", "blocked", "refused", "moved", "blind", "failed", "needs you"})
"""Outcomes after which trying again at once would change nothing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`time`: unix seconds at its end; `seconds`: how long it took. `nav`: US dollars as text, None when it was not known."""

    time: int
    outcome: Outcome
    reason: str
    plan: str = ""
    nav: str | None = None
    seconds: int = 0


class Turns:
    """The turns of one treasury's daemon."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(FILE)

    def append(self, turn: Turn) -> None:
        """One line in one write, readable by the owner alone."""
        if self.path.exists() and self.path.stat().st_size > MOST:
            self.path.replace(self.path.with_name(FILE + ".1"))
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = json.dumps(asdict(turn), ensure_ascii=False, separators=(",", ":")) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def beat(self) -> None:
        """Show that the daemon lives, from its first turn on: a long transfer is one turn, and may take an hour."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)

    @property
    def heartbeat(self) -> int | None:
        """Unix seconds of the newest sign of life; None when no daemon was ever started."""
        return int(self.path.stat().st_mtime) if self.path.exists() else None

    def newest(self, count: int) -> list[Turn]:
        """Newest first. A line that was cut off by a crash, or that a later program wrote otherwise, is left out."""
        if not self.path.exists():
            return []
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            tail = deque(lines, maxlen=count)
        return [turn for line in reversed(tail) if (turn := _turn(line)) is not None]


_NAMES = {field.name for field in fields(Turn)}


def _turn(line: str) -> Turn | None:
    try:
        data = json.loads(line)
    except json.JSONDecodeError:
        return None
    return Turn(**data) if isinstance(data, dict) and set(data) == _NAMES else None
