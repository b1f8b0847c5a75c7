"""A panel of recorded prices: rising times, one column an asset, every price above zero or absent.

Read from CSV text, wide (`time,BTC,ETH`) or long (`time,asset,close`). Nothing is filled in: an absent price stays absent, because
unknown is not the last known. Marks are closes; highs and lows are never used, for they hold bad ticks.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from math import isfinite

import numpy as np
import numpy.typing as npt

from chains.tokens import AssetId

Floats = npt.NDArray[np.float64]
TIME_NAMES = ("time", "timestamp", "date", "block_timestamp")
PRICE_NAMES = ("close", "price")


class BadPrices(ValueError):
    """A price table that cannot be used: where, what was found, what is allowed or how to mend it."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """`times`: unix seconds, strictly rising. `prices`: (times, assets), NaN where there is none. Made by `panel` or `read`."""

    times: tuple[int, ...]
    assets: tuple[AssetId, ...]
    prices: Floats

    def exact(self, bar: int) -> dict[AssetId, Fraction]:
        """The prices of a bar as written (the shortest decimal of each float). Absent ones are left out."""
        row = self.prices[bar]
        return {asset: Fraction(repr(float(row[i]))) for i, asset in enumerate(self.assets) if isfinite(row[i])}

    @property
    def complete(self) -> bool:
        return bool(np.isfinite(self.prices).all())

    @property
    def step(self) -> int:
        """Median distance of times in seconds; 0 with a single bar."""
        return int(np.median(np.diff(self.times))) if len(self.times) > 1 else 0

    def gaps(self, longer: float = 1.5) -> list[tuple[int, int]]:
        """(unix seconds, length) of every hole longer than `longer` usual steps."""
        apart = np.diff(self.times)
        return [(self.times[i], int(apart[i])) for i in np.flatnonzero(apart > longer * self.step)] if self.step else []

    def chosen(self, assets: Sequence[AssetId]) -> Panel:
        """Only these assets, in this order. Raises BadPrices for one that is not there."""
        missing = [asset for asset in assets if asset not in self.assets]
        if missing:
            raise BadPrices(f"no prices of {', '.join(missing)}; the table has {', '.join(self.assets)}")
        columns = [self.assets.index(asset) for asset in assets]
        return Panel(self.times, tuple(assets), np.ascontiguousarray(self.prices[:, columns]))

    def started(self) -> Panel:
        """From the first bar on at which every asset has a price. Raises BadPrices when there is none."""
        rows = np.flatnonzero(np.isfinite(self.prices).all(axis=1))
        if not len(rows):
            raise BadPrices(f"there is no bar at which all of {', '.join(self.assets)} have a price")
        return Panel(self.times[rows[0] :], self.assets, self.prices[rows[0] :])

    def common(self) -> Panel:
        """Only bars at which every asset has a price."""
        rows = np.isfinite(self.prices).all(axis=1)
        return Panel(tuple(self.times[i] for i in np.flatnonzero(rows)), self.assets, self.prices[rows])


def panel(times: Sequence[int], assets: Sequence[AssetId], prices: Floats, source: str = "prices") -> Panel:
    """A checked panel. Raises BadPrices for times that do not rise, repeated assets, prices not above zero, or an empty table."""
    table = np.asarray(prices, dtype=np.float64)
    if not len(times) or not len(assets):
        raise BadPrices(f"{source}: no prices; at least one bar of one asset is needed")
    if table.shape != (len(times), len(assets)):
        raise BadPrices(f"{source}: {table.shape} prices for {len(times)} times and {len(assets)} assets")
    repeated = [asset for asset, count in Counter(assets).items() if count > 1]
    if repeated:
        raise BadPrices(f"{source}: asset {repeated[0]} is there twice; an asset is one column")
    _check_times(times, source)
    wrong = np.argwhere(~np.isnan(table) & ~((table > 0) & np.isfinite(table)))
    if len(wrong):
        row, column = wrong[0]
        raise BadPrices(f"{source}: {assets[column]} at {_said(times[row])} is {table[row, column]:g}; a price is above zero and finite")
    never = [asset for i, asset in enumerate(assets) if np.isnan(table[:, i]).all()]
    if never:
        raise BadPrices(f"{source}: {never[0]} has no price at all; leave it out")
    return Panel(tuple(int(t) for t in times), tuple(assets), np.ascontiguousarray(table))


def _check_times(times: Sequence[int], source: str) -> None:
    for before, after in pairwise(times):
        if after == before:
            raise BadPrices(f"{source}: {_said(after)} is there twice; keep one of the rows")
        if after < before:
            raise BadPrices(f"{source}: {_said(after)} comes after {_said(before)}; sort the rows by time, oldest first")


def read(lines: Iterable[str], source: str = "prices") -> Panel:
    """A panel from CSV text. Raises BadPrices, which names line and column."""
    rows = csv.reader(lines)
    head = [name.strip() for name in next(rows, [])]
    lower = [name.lower() for name in head]
    time = next((lower.index(name) for name in TIME_NAMES if name in lower), None)
    if time is None:
        raise BadPrices(
            f"{source}, line 1: no time column; the header must have one of {', '.join(TIME_NAMES)}, found {', '.join(head)[:80]}"
        )
    body = [(number, row) for number, row in enumerate(rows, start=2) if row]
    for number, row in body:
        if len(row) != len(head):
            raise BadPrices(f"{source}, line {number}: {len(row)} fields, the header has {len(head)}")
    if "asset" in lower:
        return _long(body, (time, lower.index("asset"), _price_column(lower, source)), source)
    return _wide(body, head, time, source)


def _price_column(head: Sequence[str], source: str) -> int:
    for name in PRICE_NAMES:
        if name in head:
            return head.index(name)
    raise BadPrices(f"{source}, line 1: no price column; a table with an asset column needs one of {', '.join(PRICE_NAMES)}")


def _wide(body: list[tuple[int, list[str]]], head: Sequence[str], time: int, source: str) -> Panel:
    assets = [name for i, name in enumerate(head) if i != time]
    times = [_moment(row[time], number, source) for number, row in body]
    table = [[_price(cell, number, source) for i, cell in enumerate(row) if i != time] for number, row in body]
    return panel(times, assets, np.asarray(table, dtype=np.float64).reshape(len(times), len(assets)), source)


def _long(body: list[tuple[int, list[str]]], columns: tuple[int, int, int], source: str) -> Panel:
    """Rows of different assets may be mixed, but each asset's times must rise."""
    time, asset, price = columns
    found: dict[AssetId, dict[int, float]] = {}
    last: dict[AssetId, int] = {}
    for number, row in body:
        at, name = _moment(row[time], number, source), row[asset].strip()
        if name in last:
            _check_times((last[name], at), f"{source}, line {number}, {name}")
        last[name] = at
        found.setdefault(name, {})[at] = _price(row[price], number, source)
    assets = sorted(found)
    times = sorted({at for prices in found.values() for at in prices})
    table = [[found[name].get(at, np.nan) for name in assets] for at in times]
    return panel(times, assets, np.asarray(table, dtype=np.float64).reshape(len(times), len(assets)), source)


def _moment(text: str, line: int, source: str) -> int:
    text = text.strip()
    if text.isdecimal():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadPrices(f'{source}, line {line}: "{text[:40]}" is no time; write 2024-01-31 15:00:00 (UTC) or unix seconds') from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _price(text: str, line: int, source: str) -> float:
    text = text.strip()
    if text.lower() in {"", "nan", "null", "none"}:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise BadPrices(f'{source}, line {line}: "{text[:40]}" is no price; write a decimal number, or leave the field empty') from None


def _said(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")
