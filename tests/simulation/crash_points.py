"""Every moment to die: each boundary of a run, alone and in ordered pairs within a step, over every arrangement.

A step is what lies between two events of the journal. After the first death a second one is tried at every boundary
of the next life up to and including its first new event: what dies there has not got any further than the first did.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from chains.ids import ChainId
from coordinator.saga.machine import LegState
from tests.simulation.arranged import ARRANGEMENTS, plan_of, scene_of, staged
from tests.simulation.judge import Violation

MOST_LIVES = 10


@dataclass
class Appointed:
    """Dies at appointed boundaries, each counted from the birth of its life. `doors`: those that the present life has passed."""

    deaths: deque[int]
    doors: list[str] = field(default_factory=list)
    lives: list[list[str]] = field(default_factory=list)

    def at(self, door: str, chain: ChainId | None) -> bool:
        if door.endswith(".lingered"):
            return False  # the same moment as the one before it: nobody lingers here
        self.doors.append(door)
        if not self.deaths or len(self.doors) <= self.deaths[0]:
            return False
        self.deaths.popleft()
        self.born_again()
        return True

    def born_again(self) -> None:
        self.lives.append(self.doors)
        self.doors = []

    async def linger(self) -> None:
        return None

    def seen(self, leg: LegState) -> None:
        return None


@dataclass(frozen=True)
class Death:
    """One run: where it died, what the judge says, and the boundaries that each life passed."""

    arrangement: str
    at: tuple[int, ...]
    violations: list[Violation]
    lives: list[list[str]]
    ends: tuple[str, ...]


async def die(arrangement: str, at: Sequence[int]) -> Death:
    """Play an arrangement, dying where told; the last life ends by itself."""
    chosen = ARRANGEMENTS[arrangement]
    scene = scene_of(chosen)
    sky = Appointed(deque(at))
    plan = await plan_of(scene, chosen)
    with staged(scene, plan, chosen) as stage:
        for _ in range(MOST_LIVES):
            if await stage.live(sky):
                break
        sky.born_again()
        violations, saga, _ = await stage.verdict()
    return Death(arrangement, tuple(at), violations, sky.lives, tuple(leg.state.value for leg in saga.legs.values()))


def first_event(doors: Sequence[str]) -> int:
    """Index of the boundary behind the first new event of a life; its last one when it wrote none."""
    events = [i for i, door in enumerate(doors) if door.startswith("journal.") and door.endswith(".after") and "begin" not in door]
    told = [i for i in events if "post" not in doors[i]]
    return told[0] if told else len(doors) - 1


def singles(arrangement: str, every: int = 1) -> Iterator[Death]:
    """A death at every boundary, or at each n-th."""
    boundaries = len(asyncio.run(die(arrangement, ())).lives[0])
    for moment in range(0, boundaries, every):
        yield asyncio.run(die(arrangement, (moment,)))


def pairs(arrangement: str, every: int = 1) -> Iterator[Death]:
    """A second death at every boundary of the step at hand, after each first one. `every`: take each n-th first death only."""
    for first in singles(arrangement, every):
        for moment in range(first_event(first.lives[1]) + 1):
            yield asyncio.run(die(arrangement, (*first.at, moment)))


@dataclass
class Spent:
    """All crash points of one arrangement. `runs`: schedules played; `wrong`: those that ended otherwise than without a death."""

    boundaries: int = 0
    runs: int = 0
    deaths: int = 0
    ends: tuple[str, ...] = ()
    wrong: list[str] = field(default_factory=list)


def exhaust(arrangement: str) -> Spent:
    """Every single death, and every ordered pair within a step."""
    calm = asyncio.run(die(arrangement, ()))
    spent = Spent(boundaries=len(calm.lives[0]), ends=calm.ends)
    for tried in chain(singles(arrangement), pairs(arrangement)):
        spent.runs += 1
        spent.deaths += len(tried.lives) - 1
        if tried.violations or tried.ends != calm.ends:
            spent.wrong.append(f"died at {tried.at}, {tried.lives[0][-1]}: {tried.ends} {[str(v) for v in tried.violations[:2]]}")
    return spent
