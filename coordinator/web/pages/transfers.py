"""Runs and transfers: the timeline of a saga, the list of every leg, and one leg traced fact by fact."""

from __future__ import annotations

from typing import Any

from coordinator.web.drawing.timeline import axis, lane, retries
from coordinator.web.records import Run
from coordinator.web.watcher import Watcher

OPEN = ("waiting", "departing", "in transit", "claiming", "undoing")
STATES = (*OPEN, "delivered", "refunded", "abandoned")


def transfers(watcher: Watcher, state: str | None) -> dict[str, Any]:
    """`state`: only legs in it; `open` means any that has not ended."""
    rows = watcher.records.rows
    wanted = set(OPEN) if state == "open" else {state} if state in STATES else set(STATES)
    counts = {name: sum(row["state"] == name for row in rows) for name in STATES}
    return {
        "rows": [{**row, **lateness(watcher, row)} for row in sorted(rows, key=_stuck_first) if row["state"] in wanted],
        "counts": {"open": sum(counts[name] for name in OPEN), **{name: count for name, count in counts.items() if count}},
        "all": len(rows),
        "chosen": state,
    }


def _stuck_first(row: dict[str, Any]) -> tuple[int, int]:
    return (0 if row["needs_you"] else 1 if row["state"] in OPEN else 2, -(row["began"] or 0))


def past(watcher: Watcher, row: dict[str, Any]) -> list[int]:
    """How long every delivered transfer of the same route took, in seconds, shortest first."""
    route = _route(row)
    return sorted(r["seconds"] for r in watcher.records.rows if _route(r) == route and r["state"] == "delivered" and r["leg"] != row["leg"])


def lateness(watcher: Watcher, row: dict[str, Any]) -> dict[str, Any]:
    """Age of an open leg against its own route's past: `late` when slower than 95 % of it."""
    took = past(watcher, row)
    age = watcher.app.clock.now() - row["began"] if row["state"] in OPEN and row["began"] is not None else row["seconds"]
    p50, p95 = percentile(took, 50), percentile(took, 95)
    late = row["state"] in OPEN and p95 is not None and age is not None and age > p95
    return {"age": age, "p50": p50, "p95": p95, "late": late, "seen": len(took)}


def percentile(ordered: list[int], rank: int) -> int | None:
    """The smallest value that `rank` percent do not exceed; None without any."""
    return ordered[min(len(ordered) - 1, -(-len(ordered) * rank // 100) - 1)] if ordered else None


def _route(row: dict[str, Any]) -> tuple[str, ...]:
    return row["rail"], row["source_chain"], row["target_chain"], row["gives"].rpartition(" ")[2]


def transfer(watcher: Watcher, run: Run, row: dict[str, Any]) -> dict[str, Any]:
    facts = run.facts.get(row["leg"], ())
    number = next(n for n, planned in enumerate(run.plan.legs, start=1) if planned.leg.id == row["leg"])
    entries = [entry for entry in watcher.records.entries if entry.leg == row["leg"]]
    return {
        "row": {**row, **lateness(watcher, row)},
        "run": run,
        "number": number,
        "facts": facts,
        "leg": run.saga.legs[row["leg"]].leg,
        "entries": entries,
        "waits": where_it_is(row),
    }


def where_it_is(row: dict[str, Any]) -> str:
    """Where the value is now and what may and may not be done, in one sentence."""
    match row["state"]:
        case "delivered":
            return f"It rests on {row['target_chain']}."
        case "refunded" | "abandoned":
            return f"It rests on {row['source_chain']}; nothing was lost."
        case "waiting" | "departing":
            return f"It is still on {row['source_chain']}. Never send it again by hand."
        case "undoing":
            return f"It is still on {row['source_chain']}; what was reversible is being taken back."
        case _:
            return (
                f"It left {row['source_chain']} and has not arrived on {row['target_chain']}; the books hold it as in transit. "
                "Never send it again: it goes on by itself, or with coordinator apply --resume."
            )


def run(watcher: Watcher, one: Run) -> dict[str, Any]:
    times = [fact["time"] for facts in one.facts.values() for fact in facts]
    start = min(times, default=one.began)
    end = max(times, default=one.began) if one.saga.ended else max(watcher.app.clock.now(), start + 1)
    lanes: list[dict[str, Any]] = []
    for number, row in enumerate(one.rows, start=1):
        facts = one.facts.get(row["leg"], ())
        lanes.append(
            {
                "number": number,
                "row": {**row, **lateness(watcher, row)},
                "svg": lane(facts, start, end),
                "retries": retries(facts),
                "facts": len(facts),
            }
        )
    undone = [lane for lane in lanes if lane["row"]["state"] in {"undoing", "abandoned", "refunded"}]
    return {"run": one, "start": start, "end": end, "axis": axis(start, end), "lanes": lanes, "undone": undone}
