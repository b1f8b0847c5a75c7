"""What a contract suite needs from an implementation under test: it alive, an account with money, and levers.

A case stands for one implementation. It does what the suite cannot know how to do there; a lever that a network
does not have skips the test that needs it, with the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bridges.base import Arrival, Lane, Leg, Rail
from chains.base import Call, Chain, Landed, Receipt, Submission, Unknown
from chains.ids import AccountId, ChainId
from chains.tokens import Amount, Token

PATIENCE = 400  # steps of time after which something that must happen has not happened


class Case:
    """Time, as it passes in this world."""

    async def wait(self) -> None:
        """A little time passes."""
        await asyncio.sleep(0.1)

    async def settle(self, chain: Chain, submission: Submission) -> Receipt:
        """Wait until a submission is final."""
        for _ in range(PATIENCE):
            fate = await chain.fate(submission)
            if isinstance(fate, Landed) and fate.receipt.final:
                return fate.receipt
            await self.wait()
        raise AssertionError(f"{submission.reference} does not become final: {fate}")

    async def execute(self, chain: Chain, sender: AccountId, calls: Sequence[Call]) -> Receipt:
        """Run calls to their end as the chain allows: in one transaction or in one each. The last receipt."""
        for batch in [calls] if chain.atomic else [[call] for call in calls]:
            submission = await chain.prepare(sender, batch, await chain.sequence(sender))
            await chain.submit(submission)
            receipt = await self.settle(chain, submission)
            assert receipt.succeeded, receipt.reason
            self.note(receipt)
        return receipt

    def note(self, receipt: Receipt) -> None:
        """Called with every receipt of `execute`."""


class ChainCase(Case):
    """A chain with `owner`, whose key it has and who holds `token` and native coin, and `friend`, who has no key there."""

    chain: Chain
    owner: AccountId
    friend: AccountId
    token: Token
    missing: Token  # well-formed, but nothing is there

    def pay(self, units: int) -> Call:
        """A payment of `token` from owner to friend."""
        raise NotImplementedError

    def pay_native(self, units: int) -> Call:
        raise NotImplementedError

    def footprint(self) -> tuple[str, Sequence[str | None]]:
        """Address and topics under which `search` finds payments to the friend."""
        raise NotImplementedError

    async def lose_reply(self, submission: Submission) -> None:
        """Submit so that the network takes it and the answer gets lost; what the chain raises comes through."""
        pytest.skip("this network cannot lose a reply")

    async def spoil(self) -> None:
        """Make the owner's next payment fail on chain although its simulation has passed."""
        pytest.skip("this network cannot spoil a payment")

    async def land(self, submission: Submission) -> None:
        """Let it land and no more: not final yet."""
        pytest.skip("this network cannot stop between landed and final")

    async def kill(self, submission: Submission) -> None:
        """Make it impossible, for good, that a submission that was never sent lands."""
        pytest.skip("this network cannot kill a submission")

    def elsewhere(self) -> Chain:
        """A client of the same endpoints that is configured for another chain."""
        pytest.skip("this network cannot be mistaken for another")

    def cosigned(self, seed: bytes, *, named: bool = True) -> Call:
        """A call that needs the signature of the key of `seed`; `named`: the call brings the seed along."""
        pytest.skip("this network has no cosigners")

    async def balance(self, account: AccountId, token: Token) -> int:
        held = (await self.chain.snapshot([account], [token])).holdings[account, token.id]
        assert not isinstance(held, Unknown), held
        return held

    async def run(self, *calls: Call) -> Receipt:
        return await self.execute(self.chain, self.owner, calls)


@dataclass
class RailCase(Case):
    """A rail with a lane and an amount that our account on its source chain can give. `stranger`: somebody else with a key, by chain."""

    rail: Rail
    lane: Lane
    gives: Amount
    chains: Mapping[ChainId, Chain]
    accounts: Mapping[ChainId, AccountId]
    strangers: Mapping[ChainId, AccountId] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list, init=False)

    def note(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def paid(self, token: Token) -> int:
        """Network fees of our accounts so far, where they were paid in `token`."""
        ours = [receipt.fee for receipt in self.receipts if receipt.sender in self.accounts.values() and receipt.chain == token.chain]
        return sum(ours) if token.id.is_native else 0

    def rebuilt(self) -> Rail:
        """The rail as a restarted program builds it."""
        raise NotImplementedError

    async def now(self) -> int:
        """Unix seconds on the source chain."""
        return (await self.chains[self.lane.source.chain].head()).time

    async def allowance(self, calls: Sequence[Call]) -> int:
        """What the spender of the departure `calls` may still take of the source token; 0 where there are no allowances."""
        return 0

    async def leg(self, least: int | None = None, name: str = "0") -> Leg:
        """The offer of a fresh quote, taken up. `least`: the quote's `takes` unless said otherwise."""
        quote = await self.rail.quote(self.lane, self.gives)
        return Leg(
            id=name * 32,
            lane=self.lane,
            gives=self.gives,
            least=quote.takes if least is None else Amount(self.lane.target, least),
            sender=self.accounts[self.lane.source.chain],
            recipient=self.accounts[self.lane.target.chain],
            deadline=await self.now() + 3_600,
            terms=quote.terms,
        )

    async def run(self, calls: Sequence[Call], accounts: Mapping[ChainId, AccountId] | None = None) -> Receipt:
        chain = calls[0].chain
        return await self.execute(self.chains[chain], (accounts or self.accounts)[chain], calls)

    async def until(self, leg: Leg, departure: Receipt, *kinds: type[Arrival]) -> Arrival:
        """Ask for the arrival until it is one of `kinds`."""
        for _ in range(PATIENCE):
            arrival = await self.rail.arrival(leg, departure)
            if isinstance(arrival, kinds):
                return arrival
            await self.wait()
        raise AssertionError(f"{leg.lane.id} does not get there: {arrival}")

    async def held(self, account: AccountId, token: Token) -> int:
        held = (await self.chains[account.chain].snapshot([account], [token])).holdings[account, token.id]
        assert not isinstance(held, Unknown), held
        return held
