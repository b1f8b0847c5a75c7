"""Quantities in words, for the reasons that policies and triggers give to people."""

from __future__ import annotations


def show_duration(seconds: int) -> str:
    """`90 s`, `15 m`, `1 h 5 m`, `2 d 3 h`: the two largest units that matter."""
    if seconds < 0:
        return f"-{show_duration(-seconds)}"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    told = [f"{count} {unit}" for count, unit in parts if count][:2]
    return " ".join(told) or "0 s"
