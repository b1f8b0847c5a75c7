"""How old an observation may be before it decides nothing."""

from __future__ import annotations

AHEAD = 60  # seconds a source's clock may run before ours


def too_old(time: int, now: int, max_age: int) -> str:
    """Why an observation of `time` is refused at `now` (unix seconds), or nothing. Exactly `max_age` old still counts."""
    if time > now + AHEAD:
        return f"is {time - now} s in the future"
    if now - time > max_age:
        return f"is {now - time} s old, allowed are {max_age} s"
    return ""
