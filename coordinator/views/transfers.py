"""The transfers view: every leg ever begun, with its transactions and what it did."""

from __future__ import annotations

from typing import Any

from coordinator.app import App
from coordinator.saga.machine import Arrived, LegState, SagaState, Settled
from coordinator.views.words import Names


def transfers(app: App) -> dict[str, Any]:
    names = Names(app.treasury)
    sagas = [app.journal.saga(name) for name in app.journal.sagas()]
    return {"schema": "coordinator/transfers@1", "transfers": [row for saga in sagas for row in saga_rows(app, saga, names)]}


def saga_rows(app: App, saga: SagaState, names: Names) -> list[dict[str, Any]]:
    times: dict[str, list[int]] = {}
    references: dict[str, list[str]] = {}
    for leg, fact, at in app.journal.story(saga.id):
        times.setdefault(leg, []).append(at)
        if isinstance(fact, Settled | Arrived):
            known = references.setdefault(leg, [])
            known += [fact.receipt.reference] if fact.receipt.reference not in known else []
    return [_row(saga, leg, times.get(leg.leg.id, []), references.get(leg.leg.id, []), names) for leg in saga.legs.values()]


def _row(saga: SagaState, leg: LegState, times: list[int], references: list[str], names: Names) -> dict[str, Any]:
    lane = leg.leg.lane
    return {
        "saga": saga.id,
        "leg": leg.leg.id,
        "kind": lane.kind,
        "rail": lane.rail,
        "source_chain": names.chain(lane.source.chain),
        "target_chain": names.chain(lane.target.chain),
        "state": leg.state.value,
        "gives": str(leg.leg.gives),
        "gives_units": str(leg.leg.gives.units),
        "takes": str(leg.arrived) if leg.arrived else None,
        "takes_units": str(leg.arrived.units) if leg.arrived else None,
        "message": leg.sighted.message if leg.sighted else "",
        "detail": leg.parked or leg.reason or (leg.sighted.detail if leg.sighted and not leg.state.ended else ""),
        "needs_you": bool(leg.parked),
        "began": times[0] if times else None,
        "seconds": times[-1] - times[0] if times else None,
        "transactions": references,
    }
