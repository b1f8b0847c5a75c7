"""The executor: drives the legs of a saga forward, one journaled fact at a time.

First try, retry and recovery after a crash are the same path: every move starts from the fold of the
journal, looks at the chain before it sends, and writes down what it is about to do. It may be called any
number of times, by anyone; the journal's constraints keep two callers from doing anything twice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridges.base import Claimable, Delivered, InTransit, Leg, Rail, Refunded
from chains.base import Call, Chain, Dead, Landed, Pending, Receipt, Submission
from chains.errors import Fault, Reaction, SendInDoubt
from chains.ids import ChainId, TokenId
from coordinator.clock import Clock
from coordinator.journal.store import Journal, Overtaken
from coordinator.ledger.entry import Entry
from coordinator.saga import booking
from coordinator.saga.gaps import gap_below
from coordinator.saga.machine import (
    Abandoned,
    Arrived,
    ClaimOpened,
    Departed,
    Event,
    Failed,
    LegState,
    Opened,
    Parked,
    Returned,
    SagaState,
    Settled,
    Sighted,
    Signed,
    State,
    UndoOpened,
    Voided,
)
from coordinator.saga.turns import ahead, rests, scaled, shortfall, transactions

LONGEST_PAUSE = 20  # times the first pause: finality may take a quarter of an hour, and nobody is served by asking all the while
SEND_AGAIN = 4  # seconds after which a transaction that has not landed is sent again, the same bytes

Watch = Callable[[SagaState, Mapping[str, str]], None]
"""Called after every pass with the saga and, by leg id, why a leg waits."""


@dataclass
class Executor:
    """`pause`: seconds between two passes when nothing moved; it grows to LONGEST_PAUSE times that while nothing does."""

    journal: Journal
    chains: Mapping[ChainId, Chain]
    rails: Mapping[str, Rail]
    clock: Clock
    pause: float = 0.5
    waits: dict[str, str] = field(default_factory=dict)
    _sent: dict[str, int] = field(default_factory=dict)
    _signing: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _opening: defaultdict[TokenId, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def run(self, saga: str, watch: Watch | None = None) -> SagaState:
        """Drive a saga until every leg has ended, needs a person, or waits for one that does."""
        state = self.journal.saga(saga)
        pause = self.pause
        while not state.ended:
            before = state
            state = await self.advance(state)
            if watch:
                watch(state, self.waits)
            if rests(state, self._atomic):
                break
            if state != before:
                pause = self.pause
                continue
            await self.clock.sleep(pause)
            pause = min(pause * 1.5, self.pause * LONGEST_PAUSE)
        return state

    async def advance(self, saga: SagaState) -> SagaState:
        """One pass: every leg goes as far as it can without waiting. Expected faults become waits, ends or parking; bugs are raised."""
        legs = dict(saga.legs)
        outcomes = await asyncio.gather(*(self._go(saga.id, legs, name) for name in legs), return_exceptions=True)
        surprises = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        surprise = min(surprises, key=lambda found: isinstance(found, Overtaken), default=None)  # a bug is not hidden by a lost race
        if isinstance(surprise, Overtaken):
            return self.journal.saga(saga.id)
        if surprise is not None:
            raise surprise
        return replace(saga, legs=legs)

    async def _go(self, saga: str, legs: dict[str, LegState], name: str) -> None:
        while not legs[name].state.ended and not legs[name].parked:
            before = legs[name]
            self.waits.pop(name, None)
            try:
                legs[name] = await self._move(saga, legs, before)
            except Fault as fault:
                legs[name] = self._react(saga, legs[name], fault)
            if legs[name] == before:
                return

    def _react(self, saga: str, leg: LegState, fault: Fault) -> LegState:
        """A fault that no move has a better answer to: a person is asked, or the leg waits and looks again."""
        leg = self._latest(saga, leg)
        if fault.reaction is Reaction.HALT:
            return self.journal.record(saga, leg, [Parked(str(fault))])
        self.waits[leg.leg.id] = str(fault)
        return leg

    def _latest(self, saga: str, leg: LegState) -> LegState:
        """A move may have journaled facts before it failed: fold again. Raises Overtaken when another worker moved the leg meanwhile."""
        latest = self.journal.saga(saga).legs[leg.leg.id]
        if latest.state is not leg.state or latest.parked:
            raise Overtaken(f"leg {leg.leg.id} is {latest.state.value} by now")
        return latest

    async def _move(self, saga: str, legs: Mapping[str, LegState], leg: LegState) -> LegState:
        match leg.state:
            case State.WAITING:
                return await self._open(saga, legs, leg)
            case State.DEPARTING:
                return await self._depart(saga, leg)
            case State.IN_TRANSIT:
                return await self._look(saga, leg)
            case State.CLAIMING:
                return await self._claim(saga, leg)
            case _:
                return await self._undo(saga, legs, leg)

    # --- the moves, in the order of a leg's life ---------------------------------------------------

    async def _open(self, saga: str, legs: Mapping[str, LegState], leg: LegState) -> LegState:
        needs = [legs[name] for name in leg.after]
        lost = next((need for need in needs if need.state.ended and need.state is not State.DELIVERED), None)
        if lost:
            return self._record(saga, leg, Abandoned(f"the leg it needs was {lost.state.value}: {lost.reason}"))
        if any(not need.state.ended for need in needs):
            return leg
        if self.clock.now() > leg.leg.deadline:
            return self._record(saga, leg, Abandoned("its deadline passed before its turn came"))
        adjusted = scaled(leg.leg, shortfall(needs))
        if adjusted is None:
            return self._record(saga, leg, Abandoned("nothing arrived for it to give"))
        async with self._opening[adjusted.lane.source.id]:
            return await self._set_out(saga, legs, leg, adjusted)

    async def _set_out(self, saga: str, legs: Mapping[str, LegState], leg: LegState, adjusted: Leg) -> LegState:
        """One departure at a time signs for a token of an account: two would overwrite each other's allowance."""
        if self._waits_for_another(legs, leg):
            return leg
        try:
            calls = tuple(await self.rails[adjusted.lane.rail].depart(adjusted))
        except Fault as fault:
            if fault.reaction in {Reaction.REPLAN, Reaction.UNDO}:
                return self._record(saga, leg, Abandoned(str(fault)))
            raise
        return self._record(saga, leg, Opened(adjusted, calls))

    async def _depart(self, saga: str, leg: LegState) -> LegState:
        try:
            leg, done = await self._send(saga, leg)
        except Fault as fault:
            leg = self._latest(saga, leg)
            if fault.reaction in {Reaction.REPLAN, Reaction.UNDO} and not leg.live:
                return self._record(saga, leg, Failed("depart", str(fault)))
            raise
        if done is None:
            return leg
        if not done.succeeded:
            return self._record(saga, leg, Failed("depart", done.reason)) if not leg.live else leg
        receipts = tuple(receipt for stage, _, receipt in leg.settled if stage == "depart")
        return self._record(saga, leg, Departed(done), booked=booking.departure(saga, leg.leg, receipts, self._native(done)))

    async def _look(self, saga: str, leg: LegState) -> LegState:
        assert leg.departure is not None
        arrival = await self.rails[leg.leg.lane.rail].arrival(leg.leg, leg.departure)
        match arrival:
            case Delivered() | Refunded():
                return self._rest(saga, leg, arrival)
            case Claimable(calls, message):
                return self._record(saga, leg, ClaimOpened(calls, message))
            case InTransit(state, detail, message):
                self.waits[leg.leg.id] = detail
                sighted = Sighted(state, detail, message)
                return leg if leg.sighted == sighted else self._record(saga, leg, sighted)

    def _rest(self, saga: str, leg: LegState, end: Delivered | Refunded) -> LegState:
        """It came to rest. A bridge's message is the proof of one transfer, so it is credited to one leg only."""
        owner = self.journal.credited(leg.leg.lane.rail, end.message) if end.message else None
        if owner not in {None, leg.leg.id}:
            return self._record(saga, leg, Parked(f"{leg.leg.lane.rail} shows message {end.message}, which was credited to leg {owner}"))
        if isinstance(end, Refunded):
            booked = booking.refund(saga, leg.leg, end.amount, end.receipt)
            return self._record(saga, leg, Returned(end.amount, end.receipt, end.message), booked=(booked,))
        booked = booking.arrival(saga, leg.leg, end.amount, end.receipt)
        return self._record(saga, leg, Arrived(end.amount, end.receipt, end.message), booked=(booked,))

    async def _claim(self, saga: str, leg: LegState) -> LegState:
        """Our claim's own transaction is settled first, so that its fee is booked even when somebody else was faster."""
        try:
            leg, done = await self._send(saga, leg)
        except Fault as fault:
            leg = self._latest(saga, leg)
            if fault.reaction not in {Reaction.REPLAN, Reaction.UNDO} or leg.live:
                raise
            return await self._claim_refused(saga, leg, fault)
        if done is None:
            return leg
        return await self._look_after_claim(saga, leg, done.reason or "the claim did not deliver")

    async def _claim_refused(self, saga: str, leg: LegState, fault: Fault) -> LegState:
        after = await self._look_after_claim(saga, leg, str(fault))
        if after == leg:
            self.waits[leg.leg.id] = f"the claim is refused: {fault}"
        return after

    async def _look_after_claim(self, saga: str, leg: LegState, reason: str) -> LegState:
        assert leg.departure is not None
        match await self.rails[leg.leg.lane.rail].arrival(leg.leg, leg.departure):
            case Delivered() as end:
                return self._rest(saga, leg, end)
            case Claimable(calls, _) if calls == leg.calls and not any(stage == "claim" for stage, _, _ in leg.settled):
                return leg
            case InTransit(_, detail, _):
                self.waits[leg.leg.id] = detail
                return leg
            case _:
                return self._record(saga, leg, Failed("claim", reason))

    async def _undo(self, saga: str, legs: Mapping[str, LegState], leg: LegState) -> LegState:
        if not leg.calls:
            if self._waits_for_another(legs, leg):
                return leg
            calls = tuple(await self.rails[leg.leg.lane.rail].undo(leg.leg))
            return self._record(saga, leg, UndoOpened(calls) if calls else Abandoned(leg.reason))
        try:
            leg, done = await self._send(saga, leg)
        except Fault as fault:
            leg = self._latest(saga, leg)
            if fault.reaction in {Reaction.REPLAN, Reaction.UNDO} and not leg.live:
                return self._record(saga, leg, Parked(f"what was reversible could not be taken back: {fault}"))
            raise
        if done is None:
            return leg
        if not done.succeeded:
            return self._record(saga, leg, Parked(f"what was reversible could not be taken back: {done.reason}"))
        return self._record(saga, leg, Abandoned(leg.reason))

    def _waits_for_another(self, legs: Mapping[str, LegState], leg: LegState) -> bool:
        if ahead(legs, leg, self._atomic(leg)) is None:
            return False
        source = leg.leg.lane.source
        self.waits[leg.leg.id] = f"waits for its turn: another leg is giving {source.asset} on {source.chain}"
        return True

    def _atomic(self, leg: LegState) -> bool:
        return self.chains[leg.leg.lane.source.chain].atomic

    # --- sending -----------------------------------------------------------------------------------

    async def _send(self, saga: str, leg: LegState) -> tuple[LegState, Receipt | None]:
        """Bring the current stage's transactions to finality, in order.

        The receipt is the last one's, or the first failed one's; None: not yet."""
        chain = self.chains[leg.calls[0].chain]
        steps = transactions(leg.calls, chain.atomic)
        for step, calls in enumerate(steps):
            leg, landed = await self._settle(saga, leg, chain, step, calls)
            if landed is None or not landed.succeeded:
                return await self._tend_others(saga, leg, step, landed)
        receipts = [leg.receipt(step) for step in range(len(steps))]
        return leg, receipts[-1] if all(receipts) else None

    async def _tend_others(self, saga: str, leg: LegState, step: int, held: Receipt | None) -> tuple[LegState, Receipt | None]:
        """A fork or a foreign transaction held one up after later ones were signed: they too must land before anything is concluded."""
        chain = self.chains[leg.calls[0].chain]
        for _, other, _ in leg.live:
            if other != step and not leg.parked:
                leg, _ = await self._settle(saga, leg, chain, other, ())
        if held is None or not held.final or leg.live:
            return leg, None
        last = leg.receipt(len(transactions(leg.calls, chain.atomic)) - 1)
        return leg, last if last and last.succeeded else held

    async def _settle(self, saga: str, leg: LegState, chain: Chain, step: int, calls: Sequence[Call]) -> tuple[LegState, Receipt | None]:
        """Look for one transaction; sign it if there is none; send it (again) if it has not landed."""
        known = leg.receipt(step)
        if known:
            return leg, known
        submission = leg.submission(step)
        if submission is None:
            leg, submission = await self._sign(saga, leg, chain, step, calls)
            await self._submit(chain, submission)
        match await chain.fate(submission):
            case Landed(receipt) if receipt.final:
                return self._settled(saga, leg, step, receipt), receipt
            case Landed(receipt):
                self.waits[leg.leg.id] = f"waits for finality on {chain.id}"
                return leg, receipt
            case Pending(detail):
                if self.clock.now() >= self._sent.get(submission.reference, 0) + SEND_AGAIN:
                    await self._submit(chain, submission)
                self.waits[leg.leg.id] = detail
                if (gap := await gap_below(chain, self.journal, submission)) is not None:
                    why = f"nonce {gap} of {submission.sender} is free and holds up {submission.reference}: use it with any transaction"
                    return self._record(saga, leg, Parked(why)), None
                return leg, None
            case Dead(proof, foreign):
                facts: list[Event] = [Voided(submission.reference, proof)]
                if foreign:
                    facts.append(Parked(f"a transaction that is not ours used {submission.sender}: {proof}"))
                return self.journal.record(saga, leg, facts), None

    async def _sign(self, saga: str, leg: LegState, chain: Chain, step: int, calls: Sequence[Call]) -> tuple[LegState, Submission]:
        """Choose the nonce, sign, journal: in this order, one at a time for an account, so that nonces leave no gap."""
        sender = leg.leg.recipient if leg.stage == "claim" else leg.leg.sender
        async with self._signing[str(sender)]:
            chains = await chain.sequence(sender)
            sequence = None if chains is None else self.journal.next_nonce(sender, at_least=chains)
            submission = await chain.prepare(sender, calls, sequence)
            return self._record(saga, leg, Signed(leg.stage, step, submission)), submission

    async def _submit(self, chain: Chain, submission: Submission) -> None:
        """Send; whatever the answer, only the chain's own history says what happened."""
        self._sent[submission.reference] = self.clock.now()
        try:
            await chain.submit(submission)
        except SendInDoubt as doubt:
            self.waits[submission.reference] = str(doubt)

    def _settled(self, saga: str, leg: LegState, step: int, receipt: Receipt) -> LegState:
        native = self._native(receipt)
        booked = [booking.fee(saga, leg.leg, receipt, native)]
        if leg.stage != "depart" and (extra := booking.beside(saga, leg.leg, receipt, native)):
            booked.append(extra)
        return self._record(saga, leg, Settled(leg.stage, step, receipt), booked=tuple(booked))

    def _native(self, receipt: Receipt) -> TokenId:
        return self.chains[receipt.chain].native.id

    def _record(self, saga: str, leg: LegState, fact: Event, booked: tuple[Entry, ...] = ()) -> LegState:
        return self.journal.record(saga, leg, [fact], booked)
