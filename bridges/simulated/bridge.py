"""SimulatedBridge: the rail over a simulated bridge, and the reference implementation of `bridges.base.Rail`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bridges.base import Arrival, Claimable, Delivered, InTransit, Lane, Leg, Quote, Refunded
from bridges.simulated.relay import Terms, bridge_address
from chains.base import Call, Reader, Receipt
from chains.errors import Misconfigured, OutsideTerms, Unknowable
from chains.ids import SOLANA, ChainId
from chains.simulated import WORK_PER_CALL, approve, encode
from chains.tokens import Amount, Token


class SimulatedBridge:
    """Looks through readers only: everything it knows is in the contracts' state, so a new one knows as much as an old one."""

    def __init__(self, name: str, routes: Sequence[tuple[Token, Token]], readers: Mapping[ChainId, Reader]) -> None:
        self._name = name
        self._readers = readers
        self._lanes = lanes_of(name, routes)

    @property
    def name(self) -> str:
        return self._name

    def lanes(self) -> Sequence[Lane]:
        return self._lanes

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        terms = await self._terms(lane)
        most = terms.maximum
        if not terms.minimum <= gives.units <= most:
            raise OutsideTerms(f"{lane.id} takes {Amount(lane.source, terms.minimum)} to {Amount(lane.source, most)}, not {gives}")
        takes = terms.takes(gives.units, lane.source, lane.target)
        if takes <= 0:
            raise OutsideTerms(f"nothing of {gives} would arrive over {lane.id}: the fee or the target's decimals leave none")
        source = self._readers[lane.source.chain]
        departure = await source.fee(WORK_PER_CALL * (2 if needs_approval(lane.source) else 1))
        fees = [departure + Amount(source.native, terms.message_fee)]
        if terms.claim:
            fees.append(await self._readers[lane.target.chain].fee(WORK_PER_CALL))
        return Quote(lane, gives, Amount(lane.target, takes), tuple(fees), terms.minimum, most, terms.latency_s)

    async def depart(self, leg: Leg) -> Sequence[Call]:
        lane = leg.lane
        terms = await self._terms(lane)
        takes = Amount(lane.target, terms.takes(leg.gives.units, lane.source, lane.target))
        if takes < leg.least or not terms.minimum <= leg.gives.units <= terms.maximum:
            raise OutsideTerms(f"{lane.id} would deliver {takes} for {leg.gives} now; the leg wants {leg.least}")
        spender = bridge_address(self.name, lane.source.chain)
        data = encode(
            "send",
            source=str(lane.source.id),
            target=str(lane.target.id),
            recipient=leg.recipient.address,
            units=leg.gives.units,
            least=leg.least.units,
            deadline=leg.deadline,
        )
        value = terms.message_fee + (leg.gives.units if lane.source.id.is_native else 0)
        send = Call(lane.source.chain, spender, data, f"send {leg.gives} over {lane.id}", value)
        if needs_approval(lane.source):
            return (approve(lane.source.id, spender, leg.gives.units, f"allow {self.name} to take {leg.gives}"), send)
        return (send,)

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        source, target = leg.lane.source, leg.lane.target
        message = await self._view(source.chain, "sent", reference=departure.reference)
        if not isinstance(message, str):
            raise Unknowable(f"{departure.reference} on {source.chain} is not known to {self.name} as a transfer")
        there = await self._view(target.chain, "steps", message=message)
        here = await self._view(source.chain, "steps", message=message)
        done = await self._final(target.chain, there["done"])
        if done is not None:
            return Delivered(Amount(target, done.moved(leg.recipient, target.id)), done, message)
        refund = await self._final(source.chain, here["refunded"])
        if refund is not None:
            return Refunded(Amount(source, refund.moved(leg.sender, source.id)), refund, message)
        if there["done"] or here["refunded"]:
            return InTransit("relaying", "waits for finality", message)
        if there["attested"]:
            claim = Call(target.chain, bridge_address(self.name, target.chain), encode("claim", message=message), f"claim {message}")
            return Claimable((claim,), message)
        return InTransit("attesting" if (await self._terms(leg.lane)).claim else "relaying", "waits for the relayer", message)

    async def undo(self, leg: Leg) -> Sequence[Call]:
        return await leftover(self._readers[leg.lane.source.chain], leg, bridge_address(self.name, leg.lane.source.chain))

    async def _terms(self, lane: Lane) -> Terms:
        return Terms(**await self._view(lane.source.chain, "terms"))

    async def _view(self, chain: ChainId, method: str, **arguments: str) -> Any:
        call = Call(chain, bridge_address(self.name, chain), encode(method, **arguments), method)
        return json.loads(await self._readers[chain].read(call))

    async def _final(self, chain: ChainId, reference: object) -> Receipt | None:
        if not isinstance(reference, str):
            return None
        receipt = await self._readers[chain].receipt(reference)
        return receipt if receipt is not None and receipt.final and receipt.succeeded else None


def lanes_of(name: str, routes: Sequence[tuple[Token, Token]]) -> tuple[Lane, ...]:
    """One lane a route. Raises Misconfigured when two would have one id."""
    lanes = tuple(Lane(f"{name}/{s.chain}.{s.asset}/{t.chain}.{t.asset}", name, s, t) for s, t in routes)
    if len({lane.id for lane in lanes}) != len(lanes):
        raise Misconfigured(f"{name} has two routes between the same asset on the same chains; keep one")
    return lanes


def needs_approval(token: Token) -> bool:
    return token.chain.namespace != SOLANA and not token.id.is_native


async def leftover(reader: Reader, leg: Leg, spender: str) -> Sequence[Call]:
    """The call that takes an allowance back that a departure has left behind, if there is one."""
    token = leg.lane.source
    if not needs_approval(token):
        return ()
    look = Call(token.chain, token.id.reference, encode("allowance", owner=leg.sender.address, spender=spender), "allowance")
    allowed = json.loads(await reader.read(look))
    return (approve(token.id, spender, 0, f"take back the allowance of {leg.id}"),) if allowed else ()
