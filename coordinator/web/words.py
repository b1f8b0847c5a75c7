"""How pages write values: the filters of the templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from coordinator.show.tables import age, grouped, money, short


def clock(seconds: int | None) -> Markup | str:
    """A moment in UTC; the script adds the reader's own time as a tooltip."""
    if seconds is None:
        return "never"
    moment = datetime.fromtimestamp(seconds, UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.strftime("%Y-%m-%d %H:%M:%S"))


def ago(seconds: int | None, now: int) -> Markup | str:
    """How long before `now`; the script keeps counting."""
    if seconds is None:
        return "never"
    return Markup('<time class="ago" data-at="{}">{} ago</time>').format(seconds, age(max(0, now - seconds)))


def cut(text: str, most: int = 12) -> Markup:
    """A long id, cut; whole in the tooltip."""
    return (
        Markup("{}").format(text) if len(text) <= most + 3 else Markup('<span class="id" title="{0}">{1}…</span>').format(text, text[:most])
    )


def band(row: Mapping[str, Any]) -> str:
    if row["low"] is None and row["high"] is None:
        return "-"
    return f"{row['low'] or '0'} – {row['high'] or '100'} %"


def drift(row: Mapping[str, Any]) -> str:
    if row["out"] is None:
        return "unknown"
    return f"{float(row['drift']):+.2f} pp OUT" if row["out"] else "in"


def signed(whole: str) -> str:
    """Whole tokens with separators; what goes out keeps its minus."""
    return f"-{grouped(whole[1:])}" if whole.startswith("-") else grouped(whole)


def pct(text: str | None) -> str:
    return "unknown" if text is None else f"{text} %"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "age": age,
    "ago": ago,
    "band": band,
    "clock": clock,
    "cut": cut,
    "drift": drift,
    "grouped": signed,
    "money": money,
    "pct": pct,
    "short": short,
}
