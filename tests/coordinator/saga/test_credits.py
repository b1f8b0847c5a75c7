"""One message of a bridge is the proof of one transfer: whoever tells two legs the same story does not fill two."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridges.base import Arrival, Delivered, Leg, Rail
from chains.base import Receipt
from coordinator.saga.machine import SagaState, State

from .conftest import ALPHA, Treasury

GIVES = 100_000_000


@dataclass
class Liar:
    """The real rail, but once it saw a delivery it shows that one to every leg."""

    rail: Rail
    seen: list[Delivered] = field(default_factory=list)
    name: str = "hop"

    def lanes(self):
        return self.rail.lanes()

    async def quote(self, lane, gives):
        return await self.rail.quote(lane, gives)

    async def depart(self, leg: Leg):
        return await self.rail.depart(leg)

    async def undo(self, leg: Leg):
        return await self.rail.undo(leg)

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        found = await self.rail.arrival(leg, departure)
        if isinstance(found, Delivered) and not self.seen:
            self.seen.append(found)
        return self.seen[0] if self.seen else found


async def two_alike(treasury: Treasury) -> SagaState:
    lane = treasury.lane("hop", treasury.usdc[ALPHA])
    return treasury.journal.begin(await treasury.plan((lane, GIVES, ()), (lane, GIVES, ())))


async def test_run__two_identical_legs__each_is_filled_by_its_own_message(treasury: Treasury):
    end = await treasury.executor.run((await two_alike(treasury)).id)
    assert [leg.state for leg in end.legs.values()] == [State.DELIVERED] * 2
    assert set((await treasury.residual()).values()) == {0}


async def test_run__one_message_shown_for_two_legs__fills_one_and_a_person_is_asked(treasury: Treasury):
    saga = await two_alike(treasury)
    treasury.rails["hop"] = Liar(treasury.rails["hop"])
    end = await treasury.executor.run(saga.id)
    filled, parked = sorted(end.legs.values(), key=lambda leg: leg.parked)
    assert filled.state is State.DELIVERED
    assert parked.state is State.IN_TRANSIT
    assert f"was credited to leg {filled.leg.id}" in parked.parked
    assert list(treasury.journal.book().in_transit().values()) == [GIVES]


@pytest.mark.parametrize("again", [1, 3])
async def test_run__parked_for_a_message_shown_twice__stays_so_after_a_restart(tmp_path: Path, again: int):
    treasury = Treasury(tmp_path / "journal.sqlite3")
    saga = await two_alike(treasury)
    treasury.rails["hop"] = Liar(treasury.rails["hop"])
    first = await treasury.executor.run(saga.id)
    for _ in range(again):
        treasury.restart()
        assert await treasury.executor.run(saga.id) == first
