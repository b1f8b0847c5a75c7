"""Bullet bars: a weight, the band it should lie in, and the ideal. Also the line of a value over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from coordinator.web.drawing.svg import element, percent


def bullet(row: Mapping[str, Any]) -> Markup:
    """One row of a status view (`weight`, `low`, `ideal`, `high` in percent of NAV, or None) on 0 to 100 %."""
    low, high = _share(row["low"], 0.0), _share(row["high"], 1.0)
    parts = [element("rect", class_="track", x="0", y="5", width="100%", height="10", rx="2")]
    if row["low"] is not None or row["high"] is not None:
        parts.append(element("rect", class_="band", x=percent(low), y="1", width=percent(high - low), height="18", rx="2"))
    if row["weight"] is not None:
        state = "bar out" if row["out"] else "bar"
        parts.append(element("rect", class_=state, x="0", y="7", width=percent(_share(row["weight"], 0.0)), height="6", rx="1"))
    if row["ideal"] is not None:
        at = percent(_share(row["ideal"], 0.0))
        parts.append(element("line", class_="ideal", x1=at, x2=at, y1="1", y2="19"))
    return element("svg", element("title", _told(row)), *parts, class_="bullet", width="100%", height="20", role="img")


def _told(row: Mapping[str, Any]) -> str:
    weight = "unknown" if row["weight"] is None else f"{row['weight']} % of NAV"
    band = "no band" if row["low"] is None and row["high"] is None else f"band {row['low'] or '0'} to {row['high'] or '100'} %"
    return f"{row['name']}: {weight}, {band}"


def _share(text: str | None, otherwise: float) -> float:
    return otherwise if text is None else min(1.0, max(0.0, float(text) / 100))


def gauge(used: float, told: str) -> Markup:
    """How much of a limit is used (1 is all of it)."""
    share = min(1.0, max(0.0, used))
    return element(
        "svg",
        element("title", told),
        element("rect", class_="track", x="0", y="4", width="100%", height="8", rx="2"),
        element("rect", class_="bar out" if used >= 1 else "bar", x="0", y="4", width=percent(share), height="8", rx="2"),
        class_="gauge",
        width="100%",
        height="16",
        role="img",
    )


def line(points: Sequence[tuple[int, float]], told: str) -> Markup | None:
    """Values over unix seconds as a line, lowest at the bottom; None with fewer than two moments."""
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return None
    start, span = points[0][0], points[-1][0] - points[0][0]
    low, high = min(value for _, value in points), max(value for _, value in points)
    room = (high - low) or 1.0
    path = " ".join(f"{(at - start) / span * 1000:.1f},{110 - (value - low) / room * 100:.1f}" for at, value in points)
    drawn = element("polyline", class_="line", points=path, fill="none", vector_effect="non-scaling-stroke")
    return element(
        "svg",
        element("title", told),
        drawn,
        class_="history",
        viewBox="0 0 1000 120",
        preserveAspectRatio="none",
        width="100%",
        height="90",
    )
