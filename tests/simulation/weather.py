"""The weather of one schedule: which faults strike at which boundary, how long they last, and when the process dies.

Everything is drawn from the seed. Faults and deaths have budgets; once both are spent and every lasting fault has
passed it is calm, and from then on the coordinator must come to an end (L1).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from chains.ids import ChainId
from chains.simulated import Faults
from coordinator.saga.machine import LegState, State
from tests.simulation import faults
from tests.simulation.boundary import Stuck
from tests.simulation.worlds import Scene

PATIENCE = 4_000  # boundaries after the calm begins until a schedule counts as stuck
ATTENTION = 150  # boundaries until a person has seen that a leg is parked
MOST_SECONDS = 12 * 3_600  # of bad weather, should a schedule wait that long


@dataclass
class Weather:
    """`situations`: (fault, state of a leg it met) -> how often; a leg is met when the fault strikes one of its chains."""

    rng: Random
    scene: Scene
    faults_left: int
    deaths_left: int
    fault_gap: int = 12
    death_gap: int = 50
    armed: bool = False
    happened: Counter[str] = field(default_factory=Counter)
    situations: Counter[tuple[str, str]] = field(default_factory=Counter)
    legs: dict[str, LegState] = field(default_factory=dict)
    rival: Callable[[], None] | None = None
    """Starts a second coordinator over the same journal, when the schedule offers that."""
    person_came: bool = False
    _healing: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    _boundary: int = 0
    _next_fault: int = 0
    _next_death: int = 0
    _calm_since: int | None = None
    _parked_since: int = 0
    _started: int = 0

    @classmethod
    def drawn(cls, rng: Random, scene: Scene) -> Weather:
        made = cls(rng, scene, faults_left=rng.randint(5, 14), deaths_left=rng.choice([2, 2, 3, 3, 4, 5]))
        made.fault_gap = rng.choice([4, 8, 12])
        made.death_gap = rng.choice([8, 16, 30])
        made._next_fault = made._gap(made.fault_gap)
        made._next_death = made._gap(made.death_gap)
        made._started = scene.clock.now()
        return made

    @property
    def calm(self) -> bool:
        return self._calm_since is not None

    def _gap(self, mean: int) -> int:
        return self._boundary + 1 + int(self.rng.expovariate(1 / mean))

    # what a boundary asks

    def at(self, door: str, chain: ChainId | None) -> bool:
        self._boundary += 1
        if not self.armed:
            return False
        self._heal(self.scene.clock.now())
        self._judge_calm()
        if self.faults_left and self._boundary >= self._next_fault:
            self._strike(door, chain)
        if self._person_acts():
            return True
        if self.deaths_left and self._boundary >= self._next_death:
            self._die(door)
            return True
        return False

    def _person_acts(self) -> bool:
        """Somebody who sees a parked leg for long while others still wait stops the process, resumes the leg, and starts it again."""
        parked = any(leg.parked for leg in self.legs.values())
        self._parked_since = (self._parked_since or self._boundary) if parked else 0
        if not parked or self._boundary - self._parked_since < ATTENTION:
            return False
        self._parked_since = self._boundary
        self.person_came = True
        return True

    async def linger(self) -> None:
        """Usually a matter of scheduling only; sometimes the other side takes its time."""
        if not self.armed or self.calm:
            return
        roll = self.rng.random()
        if roll < 0.01 and self.faults_left:
            self._count("slow answer", None)
            await self.scene.clock.sleep(self.rng.randint(1, 20))
        elif roll < 0.15:
            await asyncio.sleep(0)

    def seen(self, leg: LegState) -> None:
        self.legs[leg.leg.id] = leg

    # its own doings

    def _strike(self, door: str, chain: ChainId | None) -> None:
        self._next_fault = self._gap(self.fault_gap)
        network = self.scene.network(chain or self.rng.choice(list(self.scene.accounts)))
        kind = faults.drawn(self.rng)
        struck = faults.FAULTS[kind](faults.Blow(self.rng, self.scene, network, self.legs, self.rival))
        if struck is None:
            return
        self.faults_left -= 1
        self._count(kind, network.id if struck.local else None)
        if struck.undo is not None:
            self._healing.append((self.scene.clock.now() + struck.seconds, struck.undo))

    def _die(self, door: str) -> None:
        self.deaths_left -= 1
        self._next_death = self._gap(self.death_gap)
        self.happened["death"] += 1
        for leg in self.legs.values():
            if not leg.state.ended:
                self.situations["death", leg.state.value] += 1
        self.situations["death at", door] += 1

    def _count(self, kind: str, chain: ChainId | None) -> None:
        self.happened[kind] += 1
        for leg in self.legs.values():
            ends = {leg.leg.lane.source.chain, leg.leg.lane.target.chain}
            if not leg.state.ended and (chain is None or chain in ends):
                self.situations[kind, leg.state.value] += 1

    def _heal(self, now: int) -> None:
        for due, undo in [entry for entry in self._healing if entry[0] <= now]:
            self._healing.remove((due, undo))
            undo()

    def _judge_calm(self) -> None:
        if self._calm_since is not None:
            if self._boundary - self._calm_since > PATIENCE:
                raise Stuck(f"{PATIENCE} boundaries after the last fault: {self._open()}")
        elif not self.faults_left and not self.deaths_left and not self._healing:
            self._calm_since = self._boundary
        elif self.scene.clock.now() > self._started + MOST_SECONDS:
            self.clear()

    def _open(self) -> str:
        return "; ".join(f"{leg.leg.id} is {leg.state.value} {leg.parked}" for leg in self.legs.values() if not leg.state.ended)

    def clear(self) -> None:
        """The sun comes out now, for good."""
        self.faults_left = self.deaths_left = 0
        self._heal(1 << 62)
        for network in self.scene.world.networks.values():
            network.faults = Faults()
        self._calm_since = self._boundary if self._calm_since is None else self._calm_since

    def overview(self) -> tuple[int, int]:
        """(faults, deaths) that happened."""
        deaths = self.happened["death"]
        return sum(self.happened.values()) - deaths, deaths


OPEN_STATES = tuple(state.value for state in State if not state.ended)
