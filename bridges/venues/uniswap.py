"""The Uniswap v3 venue: exact-in swaps through SwapRouter02, priced by QuoterV2, over one pool of the best fee tier.

Source: github.com/Uniswap/v3-periphery (QuoterV2), swap-router-contracts (SwapRouter02), v3-core (slot0).
Trust: the pool's price, bounded by the leg's `least`. The native coin is not swapped, its wrapped token is.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from bridges.abi import ask, calldata
from bridges.base import Arrival, Delivered, Lane, Leg, Quote, Rail, Surroundings
from bridges.erc20 import APPROVE_GAS, approve, revoke
from bridges.settings import UniswapChain, UniswapSettings
from chains.base import Call, Reader, Receipt
from chains.errors import Misconfigured, OutsideTerms, Reverted
from chains.ids import ChainId, TokenId
from chains.tokens import Amount, Token

SWAP_GAS = 60_000  # on top of the quoter's own estimate, which leaves out transfers and the transaction itself

NO_POOL = "0x" + "0" * 40
ABSENT_FOR = 60.0  # seconds; a new pool is at worst overlooked that long, no price is ever remembered

_ENDLESS = 2**127  # an amount that only a price limit stops
_QUOTE_TYPE = "(address,address,uint256,uint24,uint160)"
_QUOTE_ANSWER = ("uint256", "uint160", "uint32", "uint256")
_SWAP_TYPE = "(address,address,uint24,address,uint256,uint256,uint160)"


@dataclass(frozen=True, slots=True)
class _Offer:
    """What one pool gives for an amount, base units. `gas`: the quoter's estimate."""

    fee_tier: int
    takes: int
    gas: int


def build(settings: UniswapSettings, surroundings: Surroundings) -> Rail:
    """Raises Misconfigured when a configured chain or token is not part of the treasury."""
    for chain, here in settings.chains.items():
        if chain not in surroundings.readers:
            raise Misconfigured(f"rails.uniswap.chains names {chain}, which is no chain of this treasury; add the chain or remove the line")
        for token in (token for pair in here.pairs for token in pair):
            if token not in surroundings.tokens:
                raise Misconfigured(f"rails.uniswap.chains.{chain}.pairs: {token} is no token of this treasury; add it to the tokens")
    return Uniswap(settings, surroundings.readers, surroundings.tokens)


class Uniswap:
    """Swaps between the configured pairs, either way, on each configured chain."""

    name = "uniswap"

    def __init__(self, settings: UniswapSettings, readers: Mapping[ChainId, Reader], tokens: Mapping[TokenId, Token]) -> None:
        self._settings = settings
        self._readers = readers
        pairs = [pair for here in settings.chains.values() for pair in here.pairs]
        ordered = [(tokens[source], tokens[target]) for one, other in pairs for source, target in ((one, other), (other, one))]
        self._lanes = tuple(Lane(_lane_id(source, target), self.name, source, target) for source, target in ordered)
        self._known = {lane.id for lane in self._lanes}
        self._pools: dict[tuple[ChainId, str, str, int], tuple[str, float]] = {}  # address, and when it was asked for

    def lanes(self) -> Sequence[Lane]:
        return self._lanes

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        """The best fee tier for this amount. `most`: what moves that pool's price by `max_impact_bps`. `terms`: `fee_tier`."""
        return (await self.quotes(lane, [gives]))[0]

    async def quotes(self, lane: Lane, gives: Sequence[Amount]) -> Sequence[Quote]:
        """As `quote`, for several amounts: pools and their limits are looked at once."""
        self._at(lane)
        for amount in gives:
            if amount.units <= 0:
                raise OutsideTerms(f"{lane.id} takes at least one base unit, not {amount}")
        tiers = await self._tiers(lane)
        offers = await asyncio.gather(*(self._best(lane, amount, tiers) for amount in gives))
        used = sorted({offer.fee_tier for offer in offers})
        most = dict(zip(used, await asyncio.gather(*(self._most(lane, tier) for tier in used)), strict=True))
        return await asyncio.gather(*(self._quote(lane, a, offer, most[offer.fee_tier]) for a, offer in zip(gives, offers, strict=True)))

    async def _best(self, lane: Lane, gives: Amount, tiers: Sequence[int]) -> _Offer:
        offers = await asyncio.gather(*(self._offer(lane, gives.units, tier) for tier in tiers))
        best = max((offer for offer in offers if offer is not None), key=lambda offer: offer.takes, default=None)
        if best is None or best.takes == 0:
            here, _ = self._at(lane)
            raise OutsideTerms(f"{lane.id}: no pool of the fee tiers {here.fee_tiers} gives anything for {gives}")
        return best

    async def _quote(self, lane: Lane, gives: Amount, offer: _Offer, most: int) -> Quote:
        _, reader = self._at(lane)
        if gives.units > most:
            allowed = f"{self._settings.max_impact_bps} bps"
            told = f"{lane.id}: {gives} would move the price by more than {allowed}; at most {Amount(lane.source, most)} now"
            raise OutsideTerms(told, most)
        return Quote(
            lane=lane,
            gives=gives,
            takes=Amount(lane.target, offer.takes),
            fees=(await reader.fee(APPROVE_GAS + offer.gas + SWAP_GAS),),
            least=1,
            most=most,
            latency_s=self._settings.swap_seconds,
            terms={"fee_tier": str(offer.fee_tier)},
        )

    async def depart(self, leg: Leg) -> Sequence[Call]:
        here, _ = self._at(leg.lane)
        tier = self._tier(leg)
        if leg.gives.units <= 0 or leg.least.units <= 0:
            # The router reads an amount of 0 as "all it holds", and a floor of 0 invites whoever orders the block to take everything.
            raise OutsideTerms(f"{leg.lane.id}: a swap needs an amount and a floor above zero, not {leg.gives} for {leg.least}")
        offer = await self._offer(leg.lane, leg.gives.units, tier)
        if offer is None or offer.takes < leg.least.units:
            found = Amount(leg.lane.target, offer.takes) if offer else "nothing"
            raise OutsideTerms(f"{leg.lane.id}: {leg.gives} now brings {found}, below the {leg.least} agreed")
        source, target = leg.lane.source.id.reference, leg.lane.target.id.reference
        swap = (source, target, tier, leg.recipient.address, leg.gives.units, leg.least.units, 0)
        steps = [calldata("exactInputSingle", [_SWAP_TYPE], [swap])]
        data = calldata("multicall", ["uint256", "bytes[]"], [leg.deadline, steps])
        purpose = f"swap {leg.gives} for at least {leg.least}"
        return approve(leg.gives, here.router), Call(leg.lane.source.chain, here.router, data, purpose)

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        """What the swap moved, as it is, below `least` too. Raises Misconfigured when it moved nothing: then this was not our swap."""
        units = departure.moved(leg.recipient, leg.lane.target.id)
        if units <= 0:
            raise Misconfigured(f"{departure.reference} on {departure.chain} moved no {leg.lane.target.asset} to {leg.recipient}")
        return Delivered(Amount(leg.lane.target, units), departure, departure.reference)

    async def undo(self, leg: Leg) -> Sequence[Call]:
        here, reader = self._at(leg.lane)
        return await revoke(reader, leg.lane.source, leg.sender, here.router)

    # ---- pools ----

    async def _tiers(self, lane: Lane) -> Sequence[int]:
        """The configured fee tiers of which there is a pool."""
        here, _ = self._at(lane)
        pools = await asyncio.gather(*(self._pool(lane, tier) for tier in here.fee_tiers))
        return [tier for tier, pool in zip(here.fee_tiers, pools, strict=True) if pool != NO_POOL]

    async def _pool(self, lane: Lane, tier: int) -> str:
        """The pool's address or NO_POOL. A factory never changes an answer it gave; an absence is believed for ABSENT_FOR seconds."""
        here, reader = self._at(lane)
        one, other = sorted([lane.source.id.reference, lane.target.id.reference])
        key = (lane.source.chain, one, other, tier)
        found, seen = self._pools.get(key, (NO_POOL, -math.inf))
        if found == NO_POOL and time.monotonic() - seen > ABSENT_FOR:
            data = calldata("getPool", ["address", "address", "uint24"], [one, other, tier])
            (found,) = await ask(reader, Call(lane.source.chain, here.factory, data, "find the pool"), ["address"])
            self._pools[key] = (found, time.monotonic())
        return str(found)

    async def _offer(self, lane: Lane, units: int, tier: int, limit: int = 0) -> _Offer | None:
        """What the pool of this tier gives; None when there is no such pool or it cannot fill the amount."""
        asked = (lane.source.id.reference, lane.target.id.reference, units, tier, limit)
        try:
            takes, _, _, gas = await self._quoter(lane, "quoteExactInputSingle", asked)
        except Reverted:
            return None
        return _Offer(tier, takes, gas)

    async def _most(self, lane: Lane, tier: int) -> int:
        """Base units that bring the pool to the limit price: what it would give up to there, and what that costs."""
        limit = await self._limit(lane, tier)
        up_to_there = await self._offer(lane, _ENDLESS, tier, limit)
        if up_to_there is None or up_to_there.takes == 0:
            return 0
        asked = (lane.source.id.reference, lane.target.id.reference, up_to_there.takes, tier, 0)
        try:
            (gives, *_) = await self._quoter(lane, "quoteExactOutputSingle", asked)
        except Reverted:
            return 0
        return gives

    async def _limit(self, lane: Lane, tier: int) -> int:
        """sqrtPriceX96 of the pool after its price worsened by `max_impact_bps` for this direction."""
        _, reader = self._at(lane)
        source, target = lane.source.id.reference, lane.target.id.reference
        pool = await self._pool(lane, tier)
        (price, *_) = await ask(reader, Call(lane.source.chain, pool, calldata("slot0", [], []), "read the pool's price"), ["uint160"])
        return limit_price(price, self._settings.max_impact_bps, falling=int(source, 16) < int(target, 16))

    async def _quoter(self, lane: Lane, view: str, asked: tuple[str, str, int, int, int]) -> tuple[int, int, int, int]:
        here, reader = self._at(lane)
        call = Call(lane.source.chain, here.quoter, calldata(view, [_QUOTE_TYPE], [asked]), "quote a swap")
        amount, price, ticks, gas = await ask(reader, call, _QUOTE_ANSWER)
        return amount, price, ticks, gas

    def _at(self, lane: Lane) -> tuple[UniswapChain, Reader]:
        if lane.id not in self._known:
            raise Misconfigured(f"{lane.id} is no lane of the configured Uniswap; allowed: {', '.join(sorted(self._known)) or 'none'}")
        return self._settings.chains[lane.source.chain], self._readers[lane.source.chain]

    def _tier(self, leg: Leg) -> int:
        here, _ = self._at(leg.lane)
        tier = leg.terms.get("fee_tier", "")
        if tier not in map(str, here.fee_tiers):
            raise Misconfigured(f"leg {leg.id} over {leg.lane.id} has the fee tier {tier!r}; its terms must be those of its quote")
        return int(tier)


def limit_price(price: int, impact_bps: int, falling: bool) -> int:
    """A pool's sqrtPriceX96 once its price worsened by `impact_bps`: token1 per token0 falls when token0 is sold, else rises.

    A price p that rises to p / (1 - impact) is worth `impact` less to whoever buys with token1."""
    kept = Fraction(10_000 - impact_bps, 10_000)
    squared = price * price * (kept if falling else 1 / kept)
    return isqrt(int(squared))


def _lane_id(source: Token, target: Token) -> str:
    return f"uniswap/{source.chain}/{source.id.reference}/{target.id.reference}"
