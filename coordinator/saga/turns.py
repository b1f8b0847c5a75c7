"""Whose turn it is among the legs of a saga, with how much, and whether anything can move without a person. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bridges.base import Leg
from chains.base import Call
from chains.tokens import Amount
from coordinator.saga.machine import LegState, SagaState, State


def transactions(calls: Sequence[Call], atomic: bool) -> list[tuple[Call, ...]]:
    """The calls of a stage as the transactions they make: one for all on an atomic chain, else one each."""
    return [tuple(calls)] if atomic else [(call,) for call in calls]


def scaled(leg: Leg, shortfall: int) -> Leg | None:
    """The leg with its gift reduced by what did not arrive and its least in proportion; None when nothing is left."""
    gives = leg.gives.units - shortfall
    if gives <= 0:
        return None
    least = leg.least.units * gives // leg.gives.units
    return replace(leg, gives=Amount(leg.gives.token, gives), least=Amount(leg.least.token, least))


def shortfall(needs: Sequence[LegState]) -> int:
    """Base units that were planned to arrive by legs that have ended, and did not."""
    return sum(max(0, need.expects - (need.arrived.units if need.arrived else 0)) for need in needs)


def ahead(legs: Mapping[str, LegState], leg: LegState, atomic: bool) -> LegState | None:
    """The leg that this one waits for, because its allowance for the same token may still stand.

    Once all of its transactions are signed, nonces keep their order. `atomic`: what the chain they both leave is.
    """
    for other in legs.values():
        if other.leg.id == leg.leg.id or other.leg.lane.source != leg.leg.lane.source:
            continue
        signing = other.state is State.DEPARTING and not _all_signed(other, atomic)
        if signing or (other.state is State.UNDOING and leg.state is State.WAITING):
            return other
    return None


def _all_signed(leg: LegState, atomic: bool) -> bool:
    signed = {step for stage, step, _ in (*leg.live, *leg.settled) if stage == leg.stage}
    return len(signed) == len(transactions(leg.calls, atomic))


def rests(saga: SagaState, atomic: Callable[[LegState], bool]) -> bool:
    """Nothing moves without a person: every leg has ended, is parked, or waits for one that is."""
    held: set[str] = set()
    for name, leg in saga.legs.items():
        if leg.parked or _held(saga.legs, leg, held, atomic(leg)):
            held.add(name)
        elif not leg.state.ended:
            return False
    return True


def _held(legs: Mapping[str, LegState], leg: LegState, held: set[str], atomic: bool) -> bool:
    waiting = leg.state is State.WAITING
    if waiting and not held.isdisjoint(leg.after):
        return True
    if not waiting and not (leg.state is State.UNDOING and not leg.calls):
        return False
    other = ahead(legs, leg, atomic)
    return other is not None and bool(other.parked)
