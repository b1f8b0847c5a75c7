"""What time it is: the system's, or one that moves only when told."""

from __future__ import annotations

import time
from typing import Protocol

START = 1_767_225_600  # 2026-01-01T00:00:00Z: where a clock begins that was told nothing else


class Clock(Protocol):
    """Unix seconds, never going back."""

    def now(self) -> int: ...


class StillClock:
    """A clock that moves only when told."""

    def __init__(self, start: int = START) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def advance(self, seconds: int) -> None:
        self._now += seconds


class SystemTime:
    """The system's clock, in whole seconds."""

    def now(self) -> int:
        return int(time.time())
