"""The daemon as pages see it: whether it lives, what its newest turns came to, and NAV over them."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from coordinator.daemon.turns import FRUITLESS, Turn
from coordinator.web.drawing.bands import line
from coordinator.web.watcher import Watcher

SILENT = 60  # seconds without a sign of life after which it is not running
SHOWN = 12


def running(watcher: Watcher) -> dict[str, Any]:
    heartbeat = watcher.records.turns.heartbeat
    turns = watcher.records.newest_turns()
    now = watcher.app.clock.now()
    return {
        "heartbeat": heartbeat,
        "alive": heartbeat is not None and now - heartbeat <= SILENT,
        "newest": turns[0] if turns else None,
        "turns": turns[:SHOWN],
        "fruitless": bool(turns) and turns[0].outcome in FRUITLESS,
    }


def nav_history(turns: list[Turn]) -> tuple[Markup | None, list[Turn]]:
    """NAV of the newest turns as a line, and the turns it stands on, oldest first."""
    known = [turn for turn in reversed(turns) if turn.nav is not None]
    points = [(turn.time, float(turn.nav or 0)) for turn in known]
    told = f"NAV over {len(known)} turns of the daemon" if known else ""
    return line(points, told), known
