"""The CCTP rail: burn USDC on one chain, let Circle attest it, mint it on another. Two lanes a pair: standard and fast.

Trust: Circle, which issues USDC anyway. Where value is, is decided by the chains and by what we signed;
Circle's API supplies a nonce and signatures, and what it says or fails to say never moves value in our books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from math import ceil

from bridges.base import Arrival, Claimable, Delivered, InTransit, Lane, Leg, Quote, Rail, Surroundings
from bridges.cctp.attestation import Attestation, judge
from bridges.cctp.evm import CLAIM_GAS, DEPART_GAS, EvmEnd
from bridges.cctp.iris import Iris
from bridges.cctp.message import FAST, STANDARD, Burn, differences, provisional_id
from bridges.settings import CctpSettings
from chains.base import Call, Receipt
from chains.errors import Misconfigured, OutsideTerms, RateLimited, Unknowable, Unreachable
from chains.ids import ChainId
from chains.tokens import Amount

FINALITY = {"standard": STANDARD, "fast": FAST}


def build(settings: CctpSettings, surroundings: Surroundings) -> Rail:
    """Raises Misconfigured when a configured chain or its USDC is not part of the treasury."""
    ends: dict[ChainId, EvmEnd] = {}
    for chain, here in settings.chains.items():
        if chain not in surroundings.readers:
            raise Misconfigured(f"rails.cctp.chains names {chain}, which is no chain of this treasury; add the chain or remove the line")
        if here.usdc not in surroundings.tokens:
            raise Misconfigured(f"rails.cctp.chains.{chain}.usdc is {here.usdc}, which is no token of this treasury; add it to the tokens")
        ends[chain] = EvmEnd(here, surroundings.readers[chain], surroundings.tokens[here.usdc])
    if len({end.usdc.decimals for end in ends.values()}) > 1:
        raise Misconfigured("rails.cctp: USDC has different decimals on the configured chains, but CCTP mints the base units it burned")
    return CctpRail(settings, ends, Iris(surroundings.http, settings.iris))


class CctpRail:
    """USDC between all configured chains."""

    name = "cctp"

    def __init__(self, settings: CctpSettings, ends: Mapping[ChainId, EvmEnd], iris: Iris) -> None:
        self._settings = settings
        self._ends = ends
        self._iris = iris
        self._speeds = {lane.id: speed for speed in settings.lanes for lane in self._lanes_of(speed)}
        self._lanes = tuple(lane for speed in settings.lanes for lane in self._lanes_of(speed))

    def lanes(self) -> Sequence[Lane]:
        return self._lanes

    def _lanes_of(self, speed: str) -> Iterator[Lane]:
        for source, target in permutations(self._ends.values(), 2):
            if speed != "fast" or source.settings.fast:
                yield Lane(f"cctp.{speed}/{source.usdc.chain}/{target.usdc.chain}", self.name, source.usdc, target.usdc)

    # ---- before ----

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        """One fee for the route from Circle, the burn limit from the chain. `terms`: `max_fee` (base units we will sign for)
        and `since` (a target height before which the mint cannot be)."""
        source, target, speed = self._route(lane)
        share, most, head, departing, claiming = await asyncio.gather(
            self._share(source, target, speed),
            self._most(source, speed),
            target.reader.head(),
            source.reader.fee(DEPART_GAS),
            target.reader.fee(CLAIM_GAS),
        )
        least = ceil(Fraction(self._settings.minimum) * 10**source.usdc.decimals)
        if not least <= gives.units <= most:
            raise OutsideTerms(f"{lane.id} takes {Amount(source.usdc, least)} to {Amount(source.usdc, most)} now, not {gives}")
        return Quote(
            lane=lane,
            gives=gives,
            takes=Amount(target.usdc, gives.units - ceil(gives.units * share)),
            fees=(departing, claiming),
            least=least,
            most=most,
            latency_s=source.settings.fast_seconds if speed == "fast" else source.settings.standard_seconds,
            terms={"max_fee": str(self._ceiling(gives.units, share, speed)), "since": str(head.number)},
        )

    async def depart(self, leg: Leg) -> Sequence[Call]:
        source, target, speed = self._route(leg.lane)
        share = await self._share(source, target, speed)
        fee, allowed = ceil(leg.gives.units * share), _max_fee(leg)
        if fee > allowed:
            keeps, agreed = Amount(source.usdc, fee), Amount(source.usdc, allowed)
            raise OutsideTerms(f"{leg.lane.id}: Circle now keeps {keeps} of {leg.gives}, above the {agreed} agreed")
        most = await source.burn_limit()
        if leg.gives.units > most:
            raise OutsideTerms(f"{leg.lane.id}: one burn takes at most {Amount(source.usdc, most)} now, not {leg.gives}")
        return source.depart(self._burn(leg))

    async def undo(self, leg: Leg) -> Sequence[Call]:
        source, _, _ = self._route(leg.lane)
        return await source.undo(leg.sender)

    # ---- after ----

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        source, _, _ = self._route(leg.lane)
        ours = self._burn(leg).encode()
        _check_sent(source.sent(departure), ours, departure)
        if not departure.final:
            return InTransit("source_confirmed", "burned, but not final yet", provisional_id(ours))
        try:
            entries = await self._iris.messages(source.settings.domain, departure.reference)
        except (Unreachable, RateLimited, Unknowable) as silence:
            return InTransit("attesting", f"burned; Circle's attestation service cannot be asked now: {silence}", provisional_id(ours))
        answer = judge(entries, ours)
        return answer if isinstance(answer, InTransit) else await self._at_target(leg, answer)

    async def _at_target(self, leg: Leg, attestation: Attestation) -> Arrival:
        _, target, _ = self._route(leg.lane)
        if await target.consumed(attestation.filled.nonce):
            return await self._minted(leg, attestation)
        claim = target.claim(attestation.message, attestation.signatures)
        refusal = await target.refusal(claim)
        if not refusal:
            return Claimable((claim,), attestation.id)
        expires = attestation.filled.expires
        if not expires or (await target.reader.head()).number < expires:
            return InTransit("relaying", f"ATTENTION: attested, but the target refuses the claim now: {refusal}", attestation.id)
        return await self._renew(attestation)

    async def _minted(self, leg: Leg, attestation: Attestation) -> Arrival:
        _, target, _ = self._route(leg.lane)
        mint = await target.mint(attestation, leg.recipient, int(_term(leg, "since")))
        if mint is None:
            return InTransit("relaying", "received at the target; looking for the transaction that did it", attestation.id)
        where = f"in {mint.receipt.reference}"
        if not mint.receipt.final:
            return InTransit("relaying", f"minted {where}, not final yet", attestation.id)
        if not mint.units:
            detail = f"ATTENTION: the message was received {where}, but no {target.usdc.asset} reached {leg.recipient}; ask Circle"
            return InTransit("relaying", detail, attestation.id)
        return Delivered(Amount(target.usdc, mint.units), mint.receipt, attestation.id)

    async def _renew(self, attestation: Attestation) -> InTransit:
        """An expired Fast attestation is asked for again at every look, until Circle answers with a fresh one."""
        outcome = "a fresh one is asked for"
        try:
            await self._iris.reattest(attestation.filled.nonce)
        except (Unreachable, RateLimited, Unknowable) as silence:
            outcome = f"a fresh one cannot be asked for now: {silence}"
        return InTransit("attesting", f"the attestation expired at target block {attestation.filled.expires}; {outcome}", attestation.id)

    # ---- terms ----

    def _route(self, lane: Lane) -> tuple[EvmEnd, EvmEnd, str]:
        if lane.id not in self._speeds:
            raise Misconfigured(f"{lane.id} is no lane of the configured CCTP; allowed: {', '.join(self._speeds) or 'none'}")
        return self._ends[lane.source.chain], self._ends[lane.target.chain], self._speeds[lane.id]

    async def _share(self, source: EvmEnd, target: EvmEnd, speed: str) -> Fraction:
        return await self._iris.fee(source.settings.domain, target.settings.domain, FINALITY[speed])

    async def _most(self, source: EvmEnd, speed: str) -> int:
        limit = await source.burn_limit()
        backed = await self._iris.fast_allowance() if speed == "fast" else None
        return limit if backed is None else min(limit, int(backed * 10**source.usdc.decimals))

    def _ceiling(self, units: int, share: Fraction, speed: str) -> int:
        """Fast fees move while we sign, so the ceiling lies a little above; a Standard fee is what it is."""
        buffer = Fraction(self._settings.fast_buffer_bps) / 10_000 if speed == "fast" else Fraction(0)
        return ceil(units * (share + buffer))

    def _burn(self, leg: Leg) -> Burn:
        """What we sign for, from the leg alone: so it can be told after a restart."""
        source, target, speed = self._route(leg.lane)
        return Burn(
            source=source.settings.domain,
            target=target.settings.domain,
            messenger=source.messenger,
            remote_messenger=target.messenger,
            token=source.token,
            amount=leg.gives.units,
            sender=source.account(leg.sender),
            recipient=target.account(leg.recipient),
            max_fee=_max_fee(leg),
            finality=FINALITY[speed],
        )


def _max_fee(leg: Leg) -> int:
    """What Circle may keep: as quoted, and never so much that less than `least` arrives."""
    room = leg.gives.units - leg.least.units
    if room < 0:
        raise OutsideTerms(f"{leg.lane.id}: {leg.least} of {leg.gives} cannot arrive")
    return min(int(_term(leg, "max_fee")), room)


def _term(leg: Leg, name: str) -> str:
    if name not in leg.terms:
        raise Misconfigured(f"leg {leg.id} over {leg.lane.id} lacks the term {name!r}; its terms must be those of its quote")
    return leg.terms[name]


def _check_sent(sent: Sequence[bytes], ours: bytes, departure: Receipt) -> None:
    if sent.count(ours) == 1:
        return
    found = "; ".join(", ".join(differences(ours, message)) or "the same burn" for message in sent) or "none"
    raise Misconfigured(f"{departure.reference} on {departure.chain} should hold exactly one burn as we signed it; found: {found}")
