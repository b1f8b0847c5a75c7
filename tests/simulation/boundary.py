"""Every door between the coordinator and the rest of the world, with a watchman before and behind it.

A `Life` is one process from start to death. All I/O of its journal and chains passes `Life.at`; there the sky
(weather, or an appointed death) may strike. A dead life lets nothing through, so that tasks that run beside the one
that died cannot write or send anything more.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Engine, bindparam, select

from chains.base import Call, Fate, Height, Receipt, Snapshot, Submission
from chains.ids import AccountId, ChainId, TokenId
from chains.simulated import SimulatedChain
from chains.tokens import Amount, Token
from coordinator.clock import Clock
from coordinator.journal.store import Journal
from coordinator.journal.tables import attempts, events
from coordinator.ledger.entry import Entry
from coordinator.plan import Plan
from coordinator.saga.machine import Event, LegState, SagaState

T = TypeVar("T")


_SIGNED = select(attempts.c.reference).where(attempts.c.reference == bindparam("reference"))


class Killed(BaseException):
    """The process is gone; nothing after this line ran."""


class Stuck(BaseException):
    """Long after the last fault the saga still moves nowhere: liveness (L1) is broken."""


class Sky(Protocol):
    """What happens at a boundary. `door`: what is about to happen, or (`.after`) just has."""

    def at(self, door: str, chain: ChainId | None) -> bool:
        """Let things happen; True when the process dies here."""

    async def linger(self) -> None:
        """How long the other side takes."""

    def seen(self, leg: LegState) -> None:
        """A leg was written down in this state."""


@dataclass
class Life:
    """One process. `wire`: every submission that left it; `unrecorded`: those that no journal knew when they left (S3)."""

    sky: Sky
    wire: list[Submission] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)
    dead: bool = False

    def at(self, door: str, chain: ChainId | None = None) -> None:
        if self.dead or self.sky.at(door, chain):
            self.dead = True
            raise Killed(door)


@dataclass(frozen=True)
class WatchedClock:
    """The clock as one process sees it: going to sleep and waking up are boundaries too."""

    clock: Clock
    life: Life

    def now(self) -> int:
        return self.clock.now()

    async def sleep(self, seconds: float) -> None:
        self.life.at("clock.sleep")
        await self.clock.sleep(seconds)
        self.life.at("clock.sleep.after")


class WatchedJournal(Journal):
    """The real journal; every write and every fold is a boundary."""

    def __init__(self, engine: Engine, clock: Clock, life: Life) -> None:
        super().__init__(engine, clock)
        self._life = life

    def begin(self, plan: Plan) -> SagaState:
        self._life.at("journal.begin")
        state = super().begin(plan)
        self._life.at("journal.begin.after")
        return state

    def saga(self, saga: str) -> SagaState:
        self._life.at("journal.fold")
        return super().saga(saga)

    def record(self, saga: str, leg: LegState, happened: Sequence[Event], booked: Sequence[Entry] = ()) -> LegState:
        name = type(happened[0]).__name__
        self._life.at(f"journal.{name}")
        after = super().record(saga, leg, happened, booked)
        self._life.sky.seen(after)
        self._life.at(f"journal.{name}.after")
        return after

    def next_nonce(self, sender: AccountId, at_least: int) -> int:
        self._life.at("journal.nonce", sender.chain)
        return super().next_nonce(sender, at_least)

    def post(self, booked: Sequence[Entry]) -> None:
        self._life.at("journal.post")
        super().post(booked)
        self._life.at("journal.post.after")

    def head(self) -> tuple[int, str] | None:
        """Number and hash of the newest event. The watchman's look too."""
        with self._engine.begin() as db:
            newest = db.execute(select(events.c.number, events.c.hash).order_by(events.c.number.desc()).limit(1)).first()
        return None if newest is None else (newest.number, newest.hash)

    def has_signed(self, reference: str) -> bool:
        """True when the signed transaction is committed. A look of the watchman's, not of the process."""
        with self._engine.begin() as db:
            return db.scalar(_SIGNED, {"reference": reference}) is not None


class WatchedChain:
    """A client of a simulated network; every request is a boundary, and every send is checked against the journal (S3)."""

    def __init__(self, inner: SimulatedChain, life: Life, journal: WatchedJournal) -> None:
        self.inner = inner
        self.id: ChainId = inner.id
        self.native: Token = inner.native
        self.atomic: bool = inner.atomic
        self._life = life
        self._journal = journal

    async def _through(self, door: str, asked: Coroutine[Any, Any, T]) -> T:
        try:
            self._life.at(f"chain.{door}", self.id)
            await self._life.sky.linger()
            self._life.at(f"chain.{door}.lingered", self.id)
        except BaseException:
            asked.close()
            raise
        answer = await asked
        self._life.at(f"chain.{door}.after", self.id)
        return answer

    async def head(self) -> Height:
        return await self._through("head", self.inner.head())

    async def snapshot(self, accounts: Sequence[AccountId], tokens: Sequence[Token]) -> Snapshot:
        return await self._through("snapshot", self.inner.snapshot(accounts, tokens))

    async def decimals(self, token: TokenId) -> int:
        return await self._through("decimals", self.inner.decimals(token))

    async def read(self, call: Call) -> bytes:
        return await self._through("read", self.inner.read(call))

    async def stopped(self, account: AccountId, token: TokenId) -> str:
        return await self._through("stopped", self.inner.stopped(account, token))

    async def receipt(self, reference: str) -> Receipt | None:
        return await self._through("receipt", self.inner.receipt(reference))

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        return await self._through("search", self.inner.search(address, topics, since))

    async def fee(self, work: int) -> Amount:
        return await self._through("fee", self.inner.fee(work))

    async def aclose(self) -> None:
        await self.inner.aclose()

    async def sequence(self, sender: AccountId) -> int | None:
        return await self._through("sequence", self.inner.sequence(sender))

    async def prepare(self, sender: AccountId, calls: Sequence[Call], sequence: int | None) -> Submission:
        return await self._through("prepare", self.inner.prepare(sender, calls, sequence))

    async def submit(self, submission: Submission) -> None:
        await self._through("submit", self._send(submission))

    async def _send(self, submission: Submission) -> None:
        if not self._journal.has_signed(submission.reference):
            self._life.unrecorded.append(submission.reference)
        self._life.wire.append(submission)
        await self.inner.submit(submission)

    async def fate(self, submission: Submission) -> Fate:
        return await self._through("fate", self.inner.fate(submission))
