"""Reorganisations at will: of a given depth, whenever a leg is in a given state, wherever blocks are not final yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from chains.ids import ChainId
from coordinator.saga.machine import LegState, State
from tests.simulation.arranged import ARRANGEMENTS, plan_of, scene_of, staged
from tests.simulation.judge import Violation
from tests.simulation.worlds import Scene

SENDING = frozenset({State.DEPARTING, State.CLAIMING, State.UNDOING})
MOST = 3  # a run; more would only hold it up


@dataclass
class Forking:
    """A sky that replaces the newest `depth` blocks; in the states that send, only when that takes a transaction out."""

    scene: Scene
    state: State
    depth: int
    forget: bool
    left: int = MOST
    struck: int = 0
    hit: int = 0
    states: dict[str, State] = field(default_factory=dict)

    def at(self, door: str, chain: ChainId | None) -> bool:
        if chain is not None and self.left and self.state in self.states.values():
            network = self.scene.network(chain)
            within = network.number - network.finalized >= self.depth
            ours = bool(network.receipts(network.number - self.depth + 1))
            if within and (ours or self.state not in SENDING):
                self.left -= 1
                self.struck += 1
                self.hit += ours
                network.reorganise(self.depth, forget=self.forget)
        return False

    async def linger(self) -> None:
        return None

    def seen(self, leg: LegState) -> None:
        self.states[leg.leg.id] = leg.state


@dataclass(frozen=True)
class Fork:
    """What came of one run. `struck`: reorganisations; `hit`: those that took a transaction out of its block."""

    struck: int
    hit: int
    violations: list[Violation]
    ends: tuple[str, ...]


async def fork(arrangement: str, state: State, depth: int, *, finality: int, forget: bool) -> Fork:
    chosen = replace(ARRANGEMENTS[arrangement], finality=finality, pause=max(1, depth // 3))
    scene = scene_of(chosen)
    sky = Forking(scene, state, depth, forget)
    plan = await plan_of(scene, chosen)
    if state is State.WAITING:
        sky.states = {planned.leg.id: State.WAITING for planned in plan.legs}
    with staged(scene, plan, chosen) as stage:
        await stage.live(sky)
        violations, saga, _ = await stage.verdict()
    return Fork(sky.struck, sky.hit, violations, tuple(leg.state.value for leg in saga.legs.values()))


def forks(arrangement: str, state: State, depths: Iterable[int], finality: int) -> dict[int, Fork]:
    """One run a depth; every other one forgets the transactions of the blocks it replaces."""
    return {d: asyncio.run(fork(arrangement, state, d, finality=finality, forget=d % 2 == 0)) for d in depths}
