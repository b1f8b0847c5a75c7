"""SimulatedVenue: constant-product pools on simulated networks, and the rail that swaps in them.

Formula: out = R_out * a' / (R_in + a'), a' = a * (1 - fee), rounded down (Uniswap v2; exact integers).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridges.base import Arrival, Delivered, InTransit, Lane, Leg, Quote
from bridges.simulated.bridge import lanes_of, leftover, needs_approval
from chains.base import Call, Reader, Receipt
from chains.errors import OutsideTerms, Reverted
from chains.ids import ChainId
from chains.simulated import WORK_PER_CALL, Arguments, Frame, SimulatedNetwork, address_of, approve, encode, number, text
from chains.tokens import Amount, Token


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of two tokens of one network; its reserves are its own balances. `fee_bps`: of what goes in."""

    name: str
    tokens: tuple[Token, Token]
    fee_bps: int = 30

    @property
    def address(self) -> str:
        one, other = self.tokens
        return address_of(one.chain, f"pool {self.name} {one.id} {other.id}")

    def call(self, frame: Frame, method: str, arguments: Arguments) -> None:
        if method != "swap":
            raise Reverted(f"a pool has no method {method!r}; it has swap")
        source, target = self._sides(text(arguments, "source"))
        units = number(arguments, "units")
        along = frame.value if source.id == frame.native else 0
        out = self._out(frame.balance(source.id, self.address) - along, frame.balance(target.id, self.address), units)
        if frame.time > number(arguments, "deadline"):
            raise Reverted("deadline passed")
        if out < number(arguments, "least"):
            raise Reverted(f"slippage: {out} would come out, {arguments['least']} wanted")
        frame.take(source.id, units)
        frame.move(target.id, self.address, text(arguments, "recipient"), out)

    def view(self, frame: Frame, method: str, arguments: Arguments) -> object:
        if method != "out":
            raise Reverted(f"a pool has no view {method!r}; it has out")
        source, target = self._sides(text(arguments, "source"))
        reserves = frame.balance(source.id, self.address), frame.balance(target.id, self.address)
        return {"out": self._out(*reserves, number(arguments, "units")), "reserve": reserves[0]}

    def _sides(self, source: str) -> tuple[Token, Token]:
        one, other = self.tokens
        if source not in (str(one.id), str(other.id)):
            raise Reverted(f"{source} is not in this pool")
        return (one, other) if source == str(one.id) else (other, one)

    def _out(self, reserve_in: int, reserve_out: int, units: int) -> int:
        if units <= 0 or reserve_in <= 0:
            raise Reverted(f"{units} into a reserve of {reserve_in}")
        paid = units * (10_000 - self.fee_bps)
        return reserve_out * paid // (reserve_in * 10_000 + paid)


def install_pool(network: SimulatedNetwork, pool: Pool, reserves: tuple[int, int]) -> None:
    """The pool on its network with these reserves: made on the first call, left as it is on every later one."""
    if pool.address in network.contracts:
        return
    network.install(pool)
    for token, units in zip(pool.tokens, reserves, strict=True):
        network.fund(network.account(f"pool {pool.name} {pool.tokens[0].id} {pool.tokens[1].id}"), token.id, units)


class SimulatedVenue:
    """Swaps both ways in each pool, from the sender straight to the recipient. `share_bps`: of a reserve that one swap may put in."""

    def __init__(self, name: str, pools: Sequence[Pool], readers: Mapping[ChainId, Reader], share_bps: int = 1_000) -> None:
        self._name = name
        self._readers = readers
        self._share_bps = share_bps
        self._lanes = lanes_of(name, [pair for pool in pools for pair in (pool.tokens, pool.tokens[::-1])])
        self._pools = {lane.id: pool for lane, pool in zip(self._lanes, (p for pool in pools for p in (pool, pool)), strict=True)}

    @property
    def name(self) -> str:
        return self._name

    def lanes(self) -> Sequence[Lane]:
        return self._lanes

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        out, most = await self._look(lane, gives.units)
        if not 0 < gives.units <= most or out <= 0:
            raise OutsideTerms(f"{lane.id} takes up to {Amount(lane.source, most)} of which something comes out, not {gives}")
        fee = await self._readers[lane.source.chain].fee(WORK_PER_CALL * (2 if needs_approval(lane.source) else 1))
        return Quote(lane, gives, Amount(lane.target, out), (fee,), 1, most, latency_s=0)

    async def depart(self, leg: Leg) -> Sequence[Call]:
        lane = leg.lane
        out, _ = await self._look(lane, leg.gives.units)
        if out < leg.least.units:
            raise OutsideTerms(f"{lane.id} gives {Amount(lane.target, out)} for {leg.gives} now; the leg wants {leg.least}")
        pool = self._pools[lane.id].address
        data = encode(
            "swap",
            source=str(lane.source.id),
            units=leg.gives.units,
            least=leg.least.units,
            recipient=leg.recipient.address,
            deadline=leg.deadline,
        )
        value = leg.gives.units if lane.source.id.is_native else 0
        swap = Call(lane.source.chain, pool, data, f"swap {leg.gives} for at least {leg.least}", value)
        if needs_approval(lane.source):
            return (approve(lane.source.id, pool, leg.gives.units, f"allow the pool to take {leg.gives}"), swap)
        return (swap,)

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        if not departure.final:
            return InTransit("source_confirmed", "waits for finality")
        return Delivered(Amount(leg.lane.target, departure.moved(leg.recipient, leg.lane.target.id)), departure)

    async def undo(self, leg: Leg) -> Sequence[Call]:
        return await leftover(self._readers[leg.lane.source.chain], leg, self._pools[leg.lane.id].address)

    async def _look(self, lane: Lane, units: int) -> tuple[int, int]:
        """What comes out for `units`, and the most that may go in."""
        data = encode("out", source=str(lane.source.id), units=max(1, units))
        found = json.loads(
            await self._readers[lane.source.chain].read(Call(lane.source.chain, self._pools[lane.id].address, data, "quote"))
        )
        return int(found["out"]), int(found["reserve"]) * self._share_bps // 10_000
