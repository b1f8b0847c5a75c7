"""The one decision function: live runs, dry runs and backtests call this and nothing else.

A record of its inputs is enough to decide again: `replayed` proves that a recorded run and its replay are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from policies.base import Decision, Observation, Policy, Portfolio, Targets, Trigger

GRAIN = 300


def decide(policy: Policy, trigger: Trigger, portfolio: Portfolio, last_run: int | None) -> tuple[Targets, Decision]:
    """What is wanted, and whether it is time. Pure: equal inputs, equal answers. `last_run`: unix seconds of the last applied plan."""
    targets = policy.targets(portfolio)
    return targets, trigger.decide(portfolio, targets, last_run)


def memory_of(*parts: object) -> int:
    """How many seconds the parts of a decision look back: the most that one says in `memory`; 0 when none does."""
    return max((int(getattr(part, "memory", 0)) for part in parts), default=0)


def remembered(past: tuple[Observation, ...], portfolio: Portfolio, targets: Targets) -> tuple[Observation, ...]:
    """The past with this turn added: its prices, without those that were not believed, and what it left closed.

    A turn sooner than GRAIN seconds after the newest one is not added unless a breaker or a price that is not believed says otherwise:
    looking more often must not make the past longer.
    """
    if past and portfolio.time - past[-1].time < GRAIN:
        newest = past[-1]
        if not targets.suspect and not newest.suspect and targets.closed == newest.closed:
            return past
    prices = {asset: price.value for asset, price in portfolio.prices.by_asset.items() if asset not in targets.suspect}
    return (*past, Observation(portfolio.time, prices, targets.closed, targets.suspect))


def recalled(past: tuple[Observation, ...], now: int, memory: int) -> tuple[Observation, ...]:
    """What a turn at `now` knows of its past: the last `memory` seconds, and the newest turn however old it is. Nothing when 0."""
    if memory <= 0 or not past:
        return ()
    first = next((i for i, seen in enumerate(past) if seen.time >= now - memory), len(past) - 1)
    return past[first:]


@dataclass(frozen=True, slots=True)
class Record:
    """One evaluation: what went in (`portfolio` without its past, which earlier records hold) and what came out."""

    portfolio: Portfolio
    last_run: int | None
    targets: Targets
    decision: Decision


def replayed(policy: Policy, trigger: Trigger, records: Iterable[Record]) -> Iterator[tuple[Record, Targets, Decision]]:
    """Decide again on recorded inputs, oldest first: the record, and what this policy says now."""
    memory = memory_of(policy, trigger)
    past: tuple[Observation, ...] = ()
    for record in records:
        past = recalled(past, record.portfolio.time, memory)
        seen = replace(record.portfolio, past=past)
        targets, decision = decide(policy, trigger, seen, record.last_run)
        yield record, targets, decision
        past = remembered(past, seen, targets)
