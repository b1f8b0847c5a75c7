"""The transition table of a leg: states × events -> state. What is not in the table cannot happen.

Events are facts, written to the journal before anything is done about them. `LegState` is the fold of a
leg's events; nothing else remembers anything. `diagram` draws the table for ARCHITECTURE.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

from bridges.base import Leg
from chains.base import Call, Receipt, Submission
from chains.tokens import Amount
from coordinator.codec import tag_union


class State(Enum):
    """Where a leg is. DELIVERED, REFUNDED and ABANDONED are its ends."""

    WAITING = "waiting"  # for the legs it needs, or for its turn
    DEPARTING = "departing"  # its transactions on the source chain are being sent
    IN_TRANSIT = "in transit"  # left the source for good, not yet at the target
    CLAIMING = "claiming"  # our transaction that fetches it at the target is being sent
    UNDOING = "undoing"  # it cannot go forward; reversible effects are being taken back
    DELIVERED = "delivered"
    REFUNDED = "refunded"
    ABANDONED = "abandoned"  # nothing of it moved; the value rests at the source

    @property
    def ended(self) -> bool:
        return self in ENDS


ENDS = frozenset({State.DELIVERED, State.REFUNDED, State.ABANDONED})
Stage = Literal["depart", "claim", "undo"]


@dataclass(frozen=True, slots=True)
class Opened:
    """Its turn has come: what it really gives (never more than planned) and the calls that do it."""

    leg: Leg
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction for the calls of one step exists. From here on it may have been sent."""

    stage: Stage
    step: int
    submission: Submission


@dataclass(frozen=True, slots=True)
class Voided:
    """Proof that a signed transaction can never land."""

    reference: str
    proof: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A transaction of ours is final. It may have failed: see the receipt."""

    stage: Stage
    step: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Departed:
    """Every departure transaction is final and succeeded; the value has left."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Failed:
    """The stage cannot go forward, proved: refused before anything was sent, or reverted and final."""

    stage: Stage
    reason: str


@dataclass(frozen=True, slots=True)
class Sighted:
    """Progress seen in transit. `message`: the protocol's id of the transfer, once known."""

    state: str
    detail: str
    message: str


@dataclass(frozen=True, slots=True)
class ClaimOpened:
    """It waits at the target; these calls fetch it."""

    calls: tuple[Call, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Proved at rest at the recipient."""

    amount: Amount
    receipt: Receipt
    message: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Proved back at the sender."""

    amount: Amount
    receipt: Receipt
    message: str


@dataclass(frozen=True, slots=True)
class UndoOpened:
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Nothing moved and nothing reversible is left behind."""

    reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """Only a person can say what is right; the leg stays tracked and does nothing."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person has looked; `reason` is theirs."""

    reason: str


Event = (
    Opened
    | Signed
    | Voided
    | Settled
    | Departed
    | Failed
    | Sighted
    | ClaimOpened
    | Arrived
    | Returned
    | UndoOpened
    | Abandoned
    | Parked
    | Resumed
)
tag_union(Event)

_OPEN = (State.WAITING, State.DEPARTING, State.IN_TRANSIT, State.CLAIMING, State.UNDOING)
_SENDING = (State.DEPARTING, State.CLAIMING, State.UNDOING)

TABLE: dict[tuple[State, type], State] = {
    (State.WAITING, Opened): State.DEPARTING,
    (State.WAITING, Abandoned): State.ABANDONED,
    (State.DEPARTING, Departed): State.IN_TRANSIT,
    (State.DEPARTING, Failed): State.UNDOING,
    (State.UNDOING, UndoOpened): State.UNDOING,
    (State.UNDOING, Abandoned): State.ABANDONED,
    (State.IN_TRANSIT, Sighted): State.IN_TRANSIT,
    (State.IN_TRANSIT, ClaimOpened): State.CLAIMING,
    (State.IN_TRANSIT, Arrived): State.DELIVERED,
    (State.IN_TRANSIT, Returned): State.REFUNDED,
    (State.CLAIMING, Arrived): State.DELIVERED,
    (State.CLAIMING, Failed): State.IN_TRANSIT,
    **{(state, kind): state for state in _SENDING for kind in (Signed, Voided, Settled)},
    **{(state, kind): state for state in _OPEN for kind in (Parked, Resumed)},
}


class Impossible(RuntimeError):
    """An event that the table does not allow in this state: a bug or a damaged journal, never the outside world."""


@dataclass(frozen=True, slots=True)
class LegState:
    """The fold of one leg's events.

    `after`: legs whose delivery it spends. `expects`: base units planned to arrive. `live`: signed transactions that may still
    land, by (stage, step). `facts`: how many events this is the fold of, which is the ordinal of the next one.
    """

    leg: Leg
    after: tuple[str, ...]
    expects: int
    state: State = State.WAITING
    calls: tuple[Call, ...] = ()
    live: tuple[tuple[Stage, int, Submission], ...] = ()
    settled: tuple[tuple[Stage, int, Receipt], ...] = ()
    departure: Receipt | None = None
    sighted: Sighted | None = None
    arrived: Amount | None = None
    reason: str = ""
    parked: str = ""
    facts: int = 0

    @property
    def stage(self) -> Stage:
        """The stage whose calls are current in this state."""
        return {State.CLAIMING: "claim", State.UNDOING: "undo"}.get(self.state, "depart")  # type: ignore[return-value]  # literals of Stage

    def submission(self, step: int) -> Submission | None:
        return next((sub for stage, at, sub in self.live if (stage, at) == (self.stage, step)), None)

    def receipt(self, step: int) -> Receipt | None:
        found = [receipt for stage, at, receipt in self.settled if (stage, at) == (self.stage, step)]
        return found[-1] if found else None


def apply(leg: LegState, event: Event) -> LegState:
    """The leg after the event. Raises Impossible when the table has no such transition."""
    state = TABLE.get((leg.state, type(event)))
    if state is None:
        raise Impossible(f"leg {leg.leg.id} is {leg.state.value}; {type(event).__name__} cannot happen there")
    return _fold(replace(leg, state=state, facts=leg.facts + 1), event)


def _fold(leg: LegState, event: Event) -> LegState:
    match event:
        case Opened(adjusted, calls):
            return replace(leg, leg=adjusted, calls=calls)
        case Signed(stage, step, submission):
            return replace(leg, live=(*leg.live, (stage, step, submission)))
        case Voided(reference, _):
            return replace(leg, live=_without(leg, reference))
        case Settled(stage, step, receipt):
            return replace(leg, live=_without(leg, receipt.reference), settled=(*leg.settled, (stage, step, receipt)))
        case Departed(receipt):
            return replace(leg, departure=receipt, calls=())
        case Sighted():
            return replace(leg, sighted=event)
        case ClaimOpened(calls, _) | UndoOpened(calls):
            return replace(leg, calls=calls, settled=tuple(s for s in leg.settled if s[0] != leg.stage))
        case Arrived(amount, _, _) | Returned(amount, _, _):
            return replace(leg, arrived=amount, calls=())
        case Failed(_, reason) | Abandoned(reason):
            return replace(leg, reason=leg.reason or reason, calls=())
        case Parked(reason):
            return replace(leg, parked=reason)
        case Resumed():  # an undo that failed is begun anew, with calls made for what is reversible now
            anew = leg.state is State.UNDOING and not leg.live
            return replace(leg, parked="", calls=() if anew else leg.calls)


def _without(leg: LegState, reference: str) -> tuple[tuple[Stage, int, Submission], ...]:
    return tuple(entry for entry in leg.live if entry[2].reference != reference)


@dataclass(frozen=True, slots=True)
class SagaState:
    """A plan under way: its legs by id, in plan order."""

    id: str
    plan: str
    legs: dict[str, LegState] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return all(leg.state.ended for leg in self.legs.values())

    @property
    def parked(self) -> tuple[LegState, ...]:
        return tuple(leg for leg in self.legs.values() if leg.parked)

    def with_leg(self, leg: LegState) -> SagaState:
        return replace(self, legs={**self.legs, leg.leg.id: leg})


def diagram() -> str:
    """The table as a Mermaid state diagram; events that change nothing are left out."""
    lines = ["stateDiagram-v2", "    [*] --> waiting"]
    for (source, event), target in TABLE.items():
        if source is not target:
            lines.append(f"    {_name(source)} --> {_name(target)}: {event.__name__}")
    lines += [f"    {_name(end)} --> [*]" for end in State if end.ended]
    return "\n".join(lines) + "\n"


def _name(state: State) -> str:
    return state.value.replace(" ", "_")
