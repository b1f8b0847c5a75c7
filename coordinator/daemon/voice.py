"""The daemon's voice: lines with their time on stderr, for a log that somebody reads later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from coordinator.clock import Clock
from coordinator.show.output import Output


class Voice(Output):
    """`errors`: what was refused in this turn, in full, so that its record can say why. Tables are left out: the pages show them."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(as_json=False)
        self.notes = Console(stderr=True, highlight=False, force_terminal=False)
        self.errors: list[str] = []
        self._clock = clock

    def data(self, view: dict[str, Any], draw: Callable[[dict[str, Any], Console], None]) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        super().note(f"{self._now()}  {text}")

    def error(self, text: str) -> None:
        self.errors.append(text)
        super().error(f"{self._now()}  {text}")

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
