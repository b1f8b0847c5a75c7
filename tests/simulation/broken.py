"""Executors that are wrong on purpose: each makes a mistake that well-known software made. The judge must catch every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chains.base import Call, Chain, Pending, Receipt, Submission
from chains.errors import SendInDoubt
from coordinator.saga.executor import Executor
from coordinator.saga.machine import LegState, Signed, Voided

LIFETIME = 20  # simulated seconds after which one of them gives a transaction up


class SendsFirst(Executor):
    """Sends, then writes down what it sent: dies in between and knows nothing of it."""

    async def _sign(self, saga: str, leg: LegState, chain: Chain, step: int, calls: Sequence[Call]) -> tuple[LegState, Submission]:
        sender = leg.leg.recipient if leg.stage == "claim" else leg.leg.sender
        async with self._signing[str(sender)]:
            known = await chain.sequence(sender)
            sequence = None if known is None else self.journal.next_nonce(sender, known)
            submission = await chain.prepare(sender, calls, sequence)
            await self._submit(chain, submission)
            return self._record(saga, leg, Signed(leg.stage, step, submission)), submission


@dataclass
class GivesUp(Executor):
    """Takes a transaction for failed when it has not landed after a while, and signs another."""

    born: dict[str, int] = field(default_factory=dict)

    async def _settle(self, saga: str, leg: LegState, chain: Chain, step: int, calls: Sequence[Call]) -> tuple[LegState, Receipt | None]:
        submission = leg.submission(step)
        if submission is not None and isinstance(await chain.fate(submission), Pending):
            since = self.born.setdefault(submission.reference, self.clock.now())
            if self.clock.now() - since > LIFETIME:
                return self.journal.record(saga, leg, [Voided(submission.reference, "it took too long")]), None
        return await super()._settle(saga, leg, chain, step, calls)


class BelievesErrors(Executor):
    """Takes an exception from a send for proof that nothing was sent, and signs another."""

    async def _settle(self, saga: str, leg: LegState, chain: Chain, step: int, calls: Sequence[Call]) -> tuple[LegState, Receipt | None]:
        if leg.receipt(step) or leg.submission(step):
            return await super()._settle(saga, leg, chain, step, calls)
        leg, submission = await self._sign(saga, leg, chain, step, calls)
        try:
            await chain.submit(submission)
        except SendInDoubt as doubt:
            return self.journal.record(saga, leg, [Voided(submission.reference, str(doubt))]), None
        return leg, None


BROKEN = {"sends first": SendsFirst, "gives up": GivesUp, "believes errors": BelievesErrors}
