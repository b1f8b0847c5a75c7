"""The record of decisions: every evaluation of policy and triggers, one JSON line each, in a file beside the journal.

What policies remember (earlier prices, closed breakers) is read back from it, so a restart forgets nothing; the whole file replays
through the decision function. It is evidence and memory, never money: losing it costs policies their past and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from coordinator.codec import from_data, to_data
from policies.base import Observation
from policies.decide import Record, recalled

FILE = "decisions.jsonl"
MOST = 64 * 2**20
"""Bytes after which the file is set aside as `decisions.jsonl.1` (an older one is replaced) and a new one begun."""


class Decisions:
    """The decisions of one treasury, oldest first."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(FILE)

    def append(self, record: Record) -> None:
        """One line in one write, readable by the owner alone. The portfolio's past is left out: the lines before hold it."""
        line = json.dumps(to_data(replace(record, portfolio=replace(record.portfolio, past=()))), separators=(",", ":")) + "\n"
        if self.path.exists() and self.path.stat().st_size > MOST:
            self.path.replace(self.path.with_name(FILE + ".1"))
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def records(self) -> Iterator[Record]:
        """Every whole record. A line that was cut off by a crash is left out."""
        for data in self._lines():
            yield from_data(data, Record)

    def past(self, now: int, memory: int) -> tuple[Observation, ...]:
        """What was observed in the last `memory` seconds, and the newest observation however old it is. Nothing when `memory` is 0."""
        if memory <= 0:
            return ()
        seen = [data for data in self._lines() if data["portfolio"]["time"] <= now]
        recent = [data for data in seen[:-1] if data["portfolio"]["time"] >= now - memory]
        return recalled(tuple(_observation(data) for data in [*recent, *seen[-1:]]), now, memory)

    def _lines(self) -> Iterator[dict[str, Any]]:
        for path in (self.path.with_name(FILE + ".1"), self.path):
            if path.exists():
                with path.open(encoding="utf-8") as lines:
                    yield from (data for line in lines if (data := _whole(line)) is not None)


def _whole(line: str) -> dict[str, Any] | None:
    try:
        data = json.loads(line)
    except json.JSONDecodeError:
        return None
    return data if isinstance(data, dict) and isinstance(data.get("portfolio"), dict) else None


def _observation(data: dict[str, Any]) -> Observation:
    """Read by hand: a month of minutes is forty thousand lines."""
    targets = data["targets"]
    suspect = {asset: Fraction(text) for asset, text in targets.get("suspect", {}).items()}
    prices = data["portfolio"]["prices"]["by_asset"]
    believed = {asset: Fraction(price["value"]) for asset, price in prices.items() if asset not in suspect}
    return Observation(data["portfolio"]["time"], believed, targets.get("closed", {}), suspect)
