"""The Hyperlane rail: lock USDC in a warp route on one chain, have it released from the route's collateral on another.

Trust: the route's validators, who sign what was dispatched, and its owner. A relayer carries the message and
pays for the delivery; anyone may, and it cannot change recipient or amount.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Protocol

from bridges.base import Arrival, Delivered, InTransit, Lane, Leg, Quote, Rail, Surroundings
from bridges.hyperlane.message import Transfer, message_id
from bridges.hyperlane.settings import HyperlaneChain, HyperlaneSettings
from chains.base import Call, Reader, Receipt
from chains.errors import Misconfigured, OutsideTerms
from chains.ids import EVM, AccountId, ChainId
from chains.tokens import Amount, Token


class End(Protocol):
    """The route on one chain; `bridges.hyperlane.evm` and `.solana` have one each. Amounts are base units of `token`."""

    @property
    def settings(self) -> HyperlaneChain: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def token(self) -> Token: ...
    @property
    def router(self) -> bytes: ...

    def account(self, account: AccountId) -> bytes: ...
    async def enrolled(self, domain: int) -> bytes: ...
    async def message_fee(self, domain: int, recipient: bytes, units: int) -> Amount: ...
    async def network_fee(self) -> Amount: ...
    async def depart(self, leg: Leg, domain: int, recipient: bytes, fee: Amount) -> tuple[Call, ...]: ...
    async def dispatched(self, leg: Leg, departure: Receipt, ours: Transfer) -> bytes: ...
    async def undo(self, sender: AccountId) -> Sequence[Call]: ...
    async def collateral(self) -> int: ...
    async def is_delivered(self, message: str) -> bool: ...
    async def delivery(self, message: str, since: int) -> Receipt | None: ...


def build(settings: HyperlaneSettings, surroundings: Surroundings) -> Rail:
    """Raises Misconfigured when a configured chain, its token or its account is not part of the treasury."""
    ends: dict[ChainId, End] = {}
    for chain, here in settings.chains.items():
        where = f"rails.hyperlane.chains.{chain}"
        if chain not in surroundings.readers or chain not in surroundings.accounts:
            raise Misconfigured(f"{where} is no chain of this treasury; add the chain and its account, or remove the line")
        if here.token not in surroundings.tokens:
            raise Misconfigured(f"{where}.token is {here.token}, which is no token of this treasury; add it to the tokens")
        ends[chain] = _end(here, surroundings.readers[chain], surroundings.tokens[here.token])
    tokens = [end.token for end in ends.values()]
    if len({token.decimals for token in tokens}) > 1 or len({token.asset for token in tokens}) > 1:
        raise Misconfigured(f"rails.hyperlane: one route moves one asset of equal decimals; found {', '.join(map(str, tokens))}")
    return HyperlaneRail(settings, ends, surroundings.accounts)


def _end(settings: HyperlaneChain, reader: Reader, token: Token) -> End:
    if token.chain.namespace == EVM:
        from bridges.hyperlane.evm import EvmEnd

        return EvmEnd(settings, reader, token)
    from bridges.hyperlane.solana import SolanaEnd

    return SolanaEnd(settings, reader, token)


class HyperlaneRail:
    """One asset between the chains of a warp route."""

    name = "hyperlane"

    def __init__(self, settings: HyperlaneSettings, ends: Mapping[ChainId, End], accounts: Mapping[ChainId, AccountId]) -> None:
        self._settings, self._ends, self._accounts = settings, ends, accounts
        linked = {frozenset(pair) for pair in settings.pairs}
        self._lanes = {
            lane.id: lane
            for lane in (self._lane(source, target) for source in ends.values() for target in ends.values() if source is not target)
            if not linked or frozenset({lane.source.chain, lane.target.chain}) in linked
        }

    def lanes(self) -> Sequence[Lane]:
        return tuple(self._lanes.values())

    def _lane(self, source: End, target: End) -> Lane:
        return Lane(f"hyperlane/{source.token.chain}/{target.token.chain}", self.name, source.token, target.token)

    # ---- before ----

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        """`terms`: `fee_ceiling` (native base units that may be paid for the message) and `since` (a target height before the delivery)."""
        source, target = self._route(lane)
        least = ceil(self._settings.minimum * 10**source.token.decimals)
        most = await self._open(source, target)
        if not least <= gives.units <= most:
            raise OutsideTerms(f"{lane.id} takes {Amount(source.token, least)} to {Amount(source.token, most)} now, not {gives}")
        recipient = target.account(self._accounts[lane.target.chain])
        message, network, head = await asyncio.gather(
            source.message_fee(target.settings.domain, recipient, gives.units), source.network_fee(), target.reader.head()
        )
        ceiling = message.units * (100 + self._settings.fee_buffer_percent) // 100
        return Quote(
            lane=lane,
            gives=gives,
            takes=Amount(target.token, gives.units),
            fees=(message + network,),
            least=least,
            most=most,
            latency_s=self._settings.seconds,
            terms={"fee_ceiling": str(ceiling), "since": str(head.number)},
        )

    async def depart(self, leg: Leg) -> Sequence[Call]:
        source, target = self._route(leg.lane)
        if leg.least.units > leg.gives.units:
            raise OutsideTerms(f"{leg.lane.id}: {leg.least} of {leg.gives} cannot arrive")
        most = await self._open(source, target)
        if leg.gives.units > most:
            raise OutsideTerms(f"{leg.lane.id}: the route can release {Amount(target.token, most)} at the target now, not {leg.gives}")
        domain, recipient = target.settings.domain, target.account(leg.recipient)
        fee = await source.message_fee(domain, recipient, leg.gives.units)
        ceiling = Amount(fee.token, int(_term(leg, "fee_ceiling")))
        if ceiling < fee:
            raise OutsideTerms(f"{leg.lane.id}: the message now costs {fee}, above the {ceiling} agreed")
        return await source.depart(leg, domain, recipient, fee)

    async def undo(self, leg: Leg) -> Sequence[Call]:
        return await self._route(leg.lane)[0].undo(leg.sender)

    async def _open(self, source: End, target: End) -> int:
        """What the target can release. Raises unless each end sends to, and trusts, exactly the other."""
        forth, back, most = await asyncio.gather(
            source.enrolled(target.settings.domain), target.enrolled(source.settings.domain), target.collateral()
        )
        for here, there, found in ((source, target, forth), (target, source, back)):
            if not any(found):
                raise OutsideTerms(f"the warp route on {here.token.chain} knows no other end on {there.token.chain}")
            if found != there.router:
                raise Misconfigured(
                    f"the warp route on {here.token.chain} sends {there.token.chain} to router 0x{found.hex()}, configured is "
                    f"0x{there.router.hex()}; correct `warp` in rails.hyperlane.chains, or leave the route alone: value would be lost"
                )
        return most

    # ---- after ----

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        source, target = self._route(leg.lane)
        ours = self._transfer(leg, source, target)
        raw = await source.dispatched(leg, departure, ours)
        if not raw:
            raise Misconfigured(
                f"{departure.reference} on {departure.chain} dispatched no message as we signed it: {leg.gives} to {leg.recipient}"
            )
        message = message_id(raw)
        if not departure.final:
            return InTransit("source_confirmed", "dispatched, but not final yet", message)
        if not await target.is_delivered(message):
            return InTransit("relaying", await self._awaited(leg, target), message)
        receipt = await target.delivery(message, int(_term(leg, "since")))
        if receipt is None:
            return InTransit("relaying", "delivered at the target; looking for the transaction that did it", message)
        if not receipt.final:
            return InTransit("relaying", f"delivered in {receipt.reference}, not final yet", message)
        units = min(receipt.moved(leg.recipient, target.token.id), leg.gives.units)  # one transaction may deliver several messages
        if units <= 0:
            detail = (
                f"ATTENTION: delivered in {receipt.reference}, but no {target.token.asset} reached {leg.recipient}; ask the route's owner"
            )
            return InTransit("relaying", detail, message)
        return Delivered(Amount(target.token, units), receipt, message)

    async def _awaited(self, leg: Leg, target: End) -> str:
        held = await target.collateral()
        if held < leg.gives.units:
            return f"dispatched; the route holds {Amount(target.token, held)} at the target, so delivery waits for more collateral"
        return "dispatched; waiting for validators to sign and a relayer to deliver"

    # ---- terms ----

    def _transfer(self, leg: Leg, source: End, target: End) -> Transfer:
        """What we signed for, from the leg alone: so it can be told after a restart."""
        return Transfer(
            origin=source.settings.domain,
            sender=source.router,
            destination=target.settings.domain,
            recipient=target.router,
            to=target.account(leg.recipient),
            amount=leg.gives.units,
        )

    def _route(self, lane: Lane) -> tuple[End, End]:
        if lane.id not in self._lanes:
            raise Misconfigured(f"{lane.id} is no lane of the configured Hyperlane route; allowed: {', '.join(self._lanes) or 'none'}")
        return self._ends[lane.source.chain], self._ends[lane.target.chain]


def _term(leg: Leg, name: str) -> str:
    if name not in leg.terms:
        raise Misconfigured(f"leg {leg.id} over {leg.lane.id} lacks the term {name!r}; its terms must be those of its quote")
    return leg.terms[name]
