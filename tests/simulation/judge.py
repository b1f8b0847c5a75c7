"""The judge: holds what the coordinator believes at the end against what chain history says, invariant by invariant.

Ids are those of the project's invariants: S1, S14 no effect twice; S2, S7 nothing of ours that no leg explains; S3, S4
what went out; S8 allowances; S9 the journal's own proof; S10 to S13 the books; L1, L4 every leg ends or is tracked; L2 zero.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chains.base import Submission
from chains.ids import TokenId
from coordinator.journal.store import Journal, verify
from coordinator.ledger.book import Book
from coordinator.ledger.entry import DEPOSITS, UNEXPLAINED, WITHDRAWALS, transit
from coordinator.ledger.reconcile import Line
from coordinator.plan import Plan
from coordinator.saga.machine import LegState, SagaState, State
from tests.simulation.truth import LegTruth, Truth
from tests.simulation.worlds import Scene

DOUBLE = frozenset({"S1", "S4", "S14"})


@dataclass(frozen=True)
class Violation:
    """A broken invariant and how it shows."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass(frozen=True)
class Evidence:
    """All there is to judge. `wire`: everything sent, in order; `heads`: journal heads as each life left them; `lines`: the last
    comparison of book and chain."""

    scene: Scene
    plan: Plan
    truth: Truth
    saga: SagaState
    journal: Journal
    wire: Sequence[Submission]
    unrecorded: Sequence[str]
    heads: Sequence[tuple[int, str]]
    lines: Sequence[Line]
    book: Book


def judge(case: Evidence) -> list[Violation]:
    """Every broken invariant; empty when all hold."""
    found = [*_effects(case), *_wire(case), *_journal(case), *_books(case), *_allowances(case)]
    for name, leg in case.saga.legs.items():
        found += [Violation(invariant, f"leg {name}: {what}") for invariant, what in _leg(case, leg, case.truth.legs[name])]
    return found


def _effects(case: Evidence) -> Iterable[Violation]:
    for (target, data), count in case.truth.effects.items():
        if count > 1:
            yield Violation("S1", f"{count} times at {target}: {data.decode()}")
    for name, leg in case.truth.legs.items():
        if len(leg.departed) > 1:
            yield Violation("S1", f"leg {name} departed {len(leg.departed)} times")
        if len(leg.arrived) + len(leg.refunded) > 1:
            yield Violation("S13", f"leg {name} came to rest {len(leg.arrived)} times and back {len(leg.refunded)} times")
    for what in case.truth.unexplained:
        yield Violation("S2", what)


def _wire(case: Evidence) -> Iterable[Violation]:
    for reference in case.unrecorded:
        yield Violation("S3", f"{reference} was sent before it was in the journal")
    by_nonce: defaultdict[tuple[str, int], set[bytes]] = defaultdict(set)
    for sub in case.wire:
        if sub.sequence is not None:
            by_nonce[str(sub.sender), sub.sequence].add(sub.raw)
    for (sender, nonce), raws in by_nonce.items():
        if len(raws) > 1:
            yield Violation("S4", f"{len(raws)} different transactions of {sender} carry nonce {nonce}")


def _journal(case: Evidence) -> Iterable[Violation]:
    if broken := verify(case.journal):
        yield Violation("S9", broken)
    hashes = {row["number"]: row["hash"] for row in case.journal.links()}
    for number, seen in case.heads:
        if hashes.get(number) != seen:
            yield Violation("S9", f"event {number} was {seen[:12]} when a life ended and is {hashes.get(number, 'gone')[:12]} now")


def _books(case: Evidence) -> Iterable[Violation]:
    for line in case.lines:
        if line.gap != 0:
            yield Violation("L2", f"{line.token}: chain {line.chain}, book {line.book}, gap {line.gap}")
        if line.book < 0:
            yield Violation("S11", f"the book has {line.book} of {line.token}")
        expected = case.scene.opening[line.token] + case.truth.moved[line.token]
        if line.chain != expected:
            yield Violation("S12", f"{line.token}: the chain says {line.chain}, its receipts add up to {expected}")
    sums: Counter[tuple[str, TokenId]] = Counter()
    for entry in case.journal.entries():
        for posting in entry.postings:
            sums[entry.id, posting.token] += posting.units
    for (entry_id, token), units in sums.items():
        if units:
            yield Violation("S10", f"entry {entry_id} leaves {units} of {token}")
    yield from _others(case)


def _others(case: Evidence) -> Iterable[Violation]:
    """What others moved is booked as that, with its transaction; nothing is left unexplained."""
    balances = case.book.balances()
    for token in case.scene.tokens:
        if units := balances.get((UNEXPLAINED, token), 0):
            yield Violation("S2", f"{-units} of {token} unexplained")
        named = -balances.get((DEPOSITS, token), 0) - balances.get((WITHDRAWALS, token), 0)
        if named != case.truth.by_others[token]:
            yield Violation("S12", f"others moved {case.truth.by_others[token]} of {token}, the books say {named}")


def _allowances(case: Evidence) -> Iterable[Violation]:
    if any(leg.parked or not leg.state.ended for leg in case.saga.legs.values()):
        return
    for network in case.scene.world.networks.values():
        mine = case.scene.accounts[network.id].address
        for key, units in network.state.items():
            if key[0] == "allowance" and key[2] == mine and units:
                yield Violation("S8", f"{key[3]} may still take {units} of {key[1]}")


def _leg(case: Evidence, leg: LegState, truth: LegTruth) -> Iterable[tuple[str, str]]:
    if not leg.state.ended and not leg.parked:
        yield "L1", f"is {leg.state.value} although all faults are over"
    if truth.departed and leg.state in (State.ABANDONED, State.WAITING, State.UNDOING):
        yield "S14" if leg.state is not State.WAITING else "L4", f"is {leg.state.value}, its value left in {truth.departed[0].reference}"
    if leg.state is State.DELIVERED and not truth.arrived:
        yield "S13", "delivered in the journal, not on the chain"
    if leg.state is State.REFUNDED and not truth.refunded:
        yield "S13", "refunded in the journal, not on the chain"
    if leg.state is State.DELIVERED and truth.arrived and leg.arrived is not None:
        real = truth.arrived[0].moved(leg.leg.recipient, leg.leg.lane.target.id)
        if leg.arrived.units != real:
            yield "S13", f"{leg.arrived.units} arrived in the journal, {real} on the chain"
    flying = case.book.balance(transit(leg.leg.id), leg.leg.lane.source.id)
    expected = leg.leg.gives.units if truth.in_flight and leg.departure is not None else 0
    if leg.state.ended and flying:
        yield "S12", f"has ended and {flying} of it are booked as in transit"
    if truth.in_flight and leg.departure is not None and flying != expected:
        yield "L4", f"{expected} in flight, {flying} tracked"
    if flying < 0:
        yield "S11", f"{flying} in transit"
