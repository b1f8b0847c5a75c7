"""The one decision function: live runs, dry runs and backtests call this and nothing else.

A record of its inputs is enough to decide again: `replayed` proves that a recorded run and its replay are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from policies.base import Decision, Observation, Policy, Portfolio, Targets, Trigger


def decide(policy: Policy, trigger: Trigger, portfolio: Portfolio, last_run: int | None) -> tuple[Targets, Decision]:
    """What is wanted, and whether it is time. Pure: equal inputs, equal answers. `last_run`: unix seconds of the last applied plan."""
    targets = policy.targets(portfolio)
    return targets, trigger.decide(portfolio, targets, last_run)


def memory_of(*parts: object) -> int:
    """How many seconds the parts of a decision look back: the most that one says in `memory`; 0 when none does."""
    return max((int(getattr(part, "memory", 0)) for part in parts), default=0)


def remember(past: tuple[Observation, ...], portfolio: Portfolio, targets: Targets, memory: int) -> tuple[Observation, ...]:
    """The past of the next turn: this turn added, what is older than `memory` seconds dropped. The newest is always kept."""
    prices = {asset: price.value for asset, price in portfolio.prices.by_asset.items() if asset not in targets.suspect}
    now = Observation(portfolio.time, prices, targets.closed, targets.suspect)
    since = portfolio.time - memory
    first = next((i for i, seen in enumerate(past) if seen.time >= since), len(past))
    return (*past[first:], now)


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
        seen = replace(record.portfolio, past=past)
        targets, decision = decide(policy, trigger, seen, record.last_run)
        yield record, targets, decision
        past = remember(past, seen, targets, memory)
