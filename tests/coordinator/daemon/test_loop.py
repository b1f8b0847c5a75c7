"""The loop: turn after turn, longer pauses after nothing, and what a word to stop does at every moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from coordinator.clock import SimulatedClock
from coordinator.daemon.loop import LONGEST_PAUSE, STALL, Loop, Pace
from coordinator.daemon.supervisor import Supervisor
from coordinator.daemon.turns import Outcome, Turn, Turns


class Bench:
    """A loop over turns that a test describes. `begun`: something is under way."""

    def __init__(self, folder: Path, turn: Callable[[Bench], Awaitable[Outcome]], pace: Pace) -> None:
        self.clock = SimulatedClock()
        self.stop = asyncio.Event()
        self.begun = False
        self.started: list[int] = []
        self.dropped = 0
        self.turns = Turns(folder / "journal.sqlite3")
        self._turn = turn
        self.loop = Loop(self._one, lambda: self.begun, self.clock, self.turns, pace, Supervisor())

    async def _one(self) -> Turn:
        self.started.append(self.clock.now())
        try:
            outcome = await self._turn(self)
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        return Turn(self.clock.now(), outcome, f"turn {len(self.started)}")

    @property
    def gaps(self) -> list[int]:
        return [later - earlier for earlier, later in zip(self.started, self.started[1:], strict=False)]


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    def made(turn: Callable[[Bench], Awaitable[Outcome]], pace: Pace | None = None) -> Bench:
        return Bench(tmp_path, turn, pace or Pace(every=60, grace=30))

    return made


def after(turns: int, outcome: Outcome) -> Callable[[Bench], Awaitable[Outcome]]:
    """Every turn comes to `outcome`; the word to stop comes in the last one."""

    async def turn(bench: Bench) -> Outcome:
        if len(bench.started) == turns:
            bench.stop.set()
        return outcome

    return turn


async def test_run__once__one_turn_on_record(bench):
    made = bench(after(99, "waits"))
    newest = await made.loop.run(made.stop, once=True)
    assert newest is not None
    assert newest.outcome == "waits"
    assert made.turns.newest(9) == [newest]


async def test_run__turns_that_wait__evenly_spaced(bench):
    made = bench(after(4, "waits"))
    await made.loop.run(made.stop)
    assert made.gaps == [60, 60, 60]


async def test_run__turns_that_come_to_nothing__pauses_double_up_to_the_longest(bench):
    made = bench(after(7, "failed"))
    await made.loop.run(made.stop)
    assert made.gaps == [120, 240, 480, 900, 900, 900]


def test_pause__longer_than_the_longest__stays_as_configured():
    assert Pace(every=3600).pause(5) == 3600
    assert Pace(every=10).pause(99) == LONGEST_PAUSE


async def test_stop__between_two_turns__ends_at_once(bench):
    async def turn(made: Bench) -> Outcome:
        asyncio.get_running_loop().call_soon(made.stop.set)
        return "waits"

    made = bench(turn)
    await made.loop.run(made.stop)
    assert len(made.started) == 1


async def test_stop__in_a_turn_that_began_nothing__drops_it(bench):
    async def turn(made: Bench) -> Outcome:
        made.stop.set()
        await asyncio.Event().wait()
        return "waits"

    made = bench(turn)
    assert await made.loop.run(made.stop) is None
    assert made.dropped == 1
    assert made.turns.newest(9) == []


async def test_stop__in_a_turn_that_began_something__lets_it_finish(bench):
    async def turn(made: Bench) -> Outcome:
        made.begun = True
        made.stop.set()
        await made.clock.sleep(20)
        made.begun = False
        return "delivered"

    made = bench(turn)
    newest = await made.loop.run(made.stop)
    assert newest is not None
    assert newest.outcome == "delivered"
    assert made.dropped == 0


async def test_stop__what_was_begun_takes_longer_than_the_grace__dropped_then(bench):
    async def turn(made: Bench) -> Outcome:
        made.begun = True
        made.stop.set()
        for _ in range(3600):
            await made.clock.sleep(1)
        return "delivered"

    made = bench(turn)
    start = made.clock.now()
    assert await made.loop.run(made.stop) is None
    assert made.dropped == 1
    assert 30 <= made.clock.now() - start < 40


async def test_run__a_bug_in_a_turn__is_raised(bench):
    async def turn(made: Bench) -> Outcome:
        raise ZeroDivisionError("a bug")

    made = bench(turn)
    with pytest.raises(ZeroDivisionError):
        await made.loop.run(made.stop)


@pytest.mark.parametrize(("thought", "begun", "stalled"), [(0, False, False), (STALL + 1, False, True), (STALL + 1, True, False)])
async def test_stalled__thinking_for_too_long__only_while_nothing_is_under_way(bench, thought, begun, stalled):
    made = bench(after(1, "waits"))
    made.loop.thinking_since = made.clock.now()
    made.begun = begun
    made.clock.advance(int(thought))
    assert made.loop.stalled is stalled
