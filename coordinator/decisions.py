"""The record of decisions: every evaluation of policy and triggers, and what policies remember, in two files beside the journal.

`decisions.jsonl` holds one JSON line an evaluation and replays through the decision function. `observations.jsonl` holds what is
remembered (earlier prices, closed breakers), so a restart forgets nothing. Both are evidence and memory, never money: losing them
costs policies their past and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from coordinator.codec import fraction_text, from_data, to_data
from policies.base import Observation
from policies.decide import Record, recalled, remembered

FILE, MEMORY = "decisions.jsonl", "observations.jsonl"
MOST = 64 * 2**20
"""Bytes after which a file is set aside with `.1` (an older one is replaced) and a new one begun."""
TAIL = 2**16


class Decisions:
    """The decisions of one treasury, oldest first."""

    def __init__(self, database: Path) -> None:
        self.path, self.memory = database.with_name(FILE), database.with_name(MEMORY)

    def append(self, record: Record) -> None:
        """Record an evaluation, and remember what it saw. The portfolio's past is left out: the lines before hold it."""
        _append(self.path, to_data(replace(record, portfolio=replace(record.portfolio, past=()))))
        newest = self._newest()
        past = remembered((newest,) if newest else (), record.portfolio, record.targets)
        if past[-1] is not newest:
            _append(self.memory, _written(past[-1]))

    def records(self) -> Iterator[Record]:
        """Every whole record. A line that was cut off by a crash is left out."""
        yield from (from_data(data, Record) for data in _lines(self.path) if isinstance(data.get("portfolio"), dict))

    def past(self, now: int, memory: int) -> tuple[Observation, ...]:
        """What was observed in the last `memory` seconds, and the newest observation however old it is. Nothing when `memory` is 0."""
        if memory <= 0:
            return ()
        seen = [data for data in _lines(self.memory) if isinstance(data.get("time"), int) and data["time"] <= now]
        recent = [data for data in seen[:-1] if data["time"] >= now - memory]
        return recalled(tuple(_read(data) for data in [*recent, *seen[-1:]]), now, memory)

    def _newest(self) -> Observation | None:
        if not self.memory.exists():
            return None
        with self.memory.open("rb") as file:
            file.seek(max(0, self.memory.stat().st_size - TAIL))
            lines = [data for line in file.read().splitlines() if (data := _whole(line.decode(errors="replace"))) is not None]
        return _read(lines[-1]) if lines and "time" in lines[-1] else None


def _append(path: Path, data: Any) -> None:
    """One line in one write, readable by the owner alone."""
    line = json.dumps(data, separators=(",", ":")) + "\n"
    if path.exists() and path.stat().st_size > MOST:
        path.replace(path.with_name(path.name + ".1"))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line, those set aside first. One that was cut off by a crash is left out."""
    for each in (path.with_name(path.name + ".1"), path):
        if each.exists():
            with each.open(encoding="utf-8", errors="replace") as lines:
                yield from (data for line in lines if (data := _whole(line)) is not None)


def _whole(line: str) -> dict[str, Any] | None:
    try:
        data = json.loads(line)
    except json.JSONDecodeError:
        return None
    return data if isinstance(data, dict) else None


def _written(seen: Observation) -> dict[str, Any]:
    """By hand, and short: months of five minutes are tens of thousands of lines."""
    prices, suspect = ({asset: fraction_text(value) for asset, value in row.items()} for row in (seen.prices, seen.suspect))
    return {"time": seen.time, "prices": prices, "closed": dict(seen.closed), "suspect": suspect}


def _read(data: dict[str, Any]) -> Observation:
    prices, suspect = ({asset: Fraction(text) for asset, text in data[name].items()} for name in ("prices", "suspect"))
    return Observation(data["time"], prices, data["closed"], suspect)
