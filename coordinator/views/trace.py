"""The trace view: everything that happened to one leg, in order, each fact with its time, its transaction and the state after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chains.base import Receipt
from chains.ids import ChainId
from chains.tokens import Amount, Token
from coordinator.saga.machine import (
    TABLE,
    Abandoned,
    Arrived,
    ClaimOpened,
    Departed,
    Event,
    Failed,
    Opened,
    Parked,
    Resumed,
    Returned,
    Settled,
    Sighted,
    Signed,
    State,
    UndoOpened,
    Voided,
)

SCHEMA = "coordinator/trace@1"
Natives = Mapping[ChainId, Token]


def trace(story: Iterable[tuple[str, Event, int]], natives: Natives) -> dict[str, list[dict[str, Any]]]:
    """Facts by leg id, oldest first. `story`: a saga's, as the journal tells it. `natives`: in which fees are told."""
    told: dict[str, list[dict[str, Any]]] = {}
    states: dict[str, State] = {}
    for leg, event, at in story:
        states[leg] = TABLE[states.get(leg, State.WAITING), type(event)]
        what, says, reference = _told(event, natives)
        row = {"time": at, "event": type(event).__name__, "what": what, "says": says, "reference": reference, "state": states[leg].value}
        told.setdefault(leg, []).append(row)
    return told


def _told(event: Event, natives: Natives) -> tuple[str, str, str]:
    """What happened in three words, what a person should know of it, and the transaction if there is one."""
    match event:
        case Opened(leg, calls):
            return "its turn came", f"gives {leg.gives}: {'; '.join(call.purpose for call in calls)}", ""
        case Signed(stage, step, sub):
            nonce = "" if sub.sequence is None else f", nonce {sub.sequence}"
            return "signed, then sent", f"{stage} transaction {step + 1}{nonce}", sub.reference
        case Voided(reference, proof):
            return "can never land", proof, reference
        case Settled(stage, step, receipt):
            return ("final" if receipt.succeeded else "failed, final"), _settled(stage, step, receipt, natives), receipt.reference
        case Departed(receipt):
            return "left the source", f"at height {receipt.height.number}", receipt.reference
        case Sighted(state, detail, message):
            return f"seen {state}", _with_message(detail, message), ""
        case ClaimOpened(calls, message):
            return "can be claimed", _with_message("; ".join(call.purpose for call in calls), message), ""
        case Arrived(amount, receipt, message):
            return "arrived", _with_message(f"{amount} at height {receipt.height.number}", message), receipt.reference
        case Returned(amount, receipt, message):
            return "came back", _with_message(f"{amount} at height {receipt.height.number}", message), receipt.reference
        case _:
            return _without_transaction(event)


def _without_transaction(event: Event) -> tuple[str, str, str]:
    match event:
        case UndoOpened(calls):
            return "is taken back", "; ".join(call.purpose for call in calls), ""
        case Failed(stage, reason):
            return f"cannot {stage}", reason, ""
        case Abandoned(reason):
            return "abandoned", reason, ""
        case Parked(reason):
            return "needs a person", reason, ""
        case Resumed(reason):
            return "a person has looked", reason, ""
        case _:
            raise TypeError(f"{type(event).__name__} is told elsewhere")


def _settled(stage: str, step: int, receipt: Receipt, natives: Natives) -> str:
    native = natives.get(receipt.chain)
    fee = f", fee {Amount(native, receipt.fee)}" if native else f", fee {receipt.fee} base units"
    why = f": {receipt.reason}" if receipt.reason else ""
    return f"{stage} transaction {step + 1} at height {receipt.height.number}{fee}{why}"


def _with_message(text: str, message: str) -> str:
    return f"{text}, message {message}" if message else text
