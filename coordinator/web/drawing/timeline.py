"""The timeline of a saga: for each leg the states it went through, and its facts as marks, on one axis of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from coordinator.web.drawing.svg import element, percent

ENDS = {"delivered", "refunded", "abandoned"}
ALARMS = {"Failed", "Voided", "Parked", "Abandoned", "UndoOpened", "Returned"}
Facts = Sequence[Mapping[str, Any]]


def spans(facts: Facts, until: int) -> list[tuple[str, int, int]]:
    """(state, from, to) in unix seconds, oldest first; the last one is open until `until` unless the leg has ended."""
    changes = [(fact["state"], fact["time"]) for n, fact in enumerate(facts) if n == 0 or fact["state"] != facts[n - 1]["state"]]
    ends = [*(time for _, time in changes[1:]), until][: len(changes)]
    return [(state, start, end) for (state, start), end in zip(changes, ends, strict=True) if state not in ENDS]


def lane(facts: Facts, start: int, end: int) -> Markup:
    """One leg between two moments. Going forward is drawn above, taking back below."""
    room = max(1, end - start)
    bars = [
        element(
            "rect",
            element("title", f"{state}: {to - since} s"),
            class_=f"state {state.replace(' ', '-')}",
            x=percent((since - start) / room),
            y="16" if state == "undoing" else "4",
            width=percent(max(0.004, (to - since) / room)),
            height="10",
            rx="2",
        )
        for state, since, to in spans(facts, end)
    ]
    marks = [
        element(
            "circle",
            element("title", f"{fact['what']}: {fact['says']}"),
            class_="alarm" if fact["event"] in ALARMS else "fact",
            cx=percent(min(0.995, max(0.005, (fact["time"] - start) / room))),
            cy="21" if fact["state"] == "undoing" else "9",
            r="3.5",
        )
        for fact in facts
    ]
    told = element("title", f"{len(facts)} facts, now {facts[-1]['state']}" if facts else "nothing happened yet")
    return element("svg", told, *bars, *marks, class_="lane", width="100%", height="30", role="img")


def axis(start: int, end: int) -> Markup:
    """Seconds since the beginning, at the quarters."""
    room = max(1, end - start)
    ticks = []
    for quarter in range(5):
        anchor = {0: "start", 4: "end"}.get(quarter, "middle")
        ticks.append(element("text", f"{room * quarter / 4:g} s", x=percent(quarter / 4), y="12", text_anchor=anchor))
    return element("svg", element("title", "seconds since the first event"), *ticks, class_="axis", width="100%", height="16", role="img")


def retries(facts: Facts) -> int:
    """How many transactions were signed again because one before could never land."""
    return sum(1 for fact in facts if fact["event"] == "Voided")
