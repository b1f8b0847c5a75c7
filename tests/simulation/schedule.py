"""One schedule: a world, a plan and the weather drawn from one seed; lives that end and begin again; then the judge."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from chains.base import Snapshot
from chains.errors import Fault
from chains.ids import ChainId
from chains.simulated import digest, transfer
from coordinator.books import bring_up_to_date
from coordinator.journal.store import AlreadyApplied, Journal, Overtaken, saga_id
from coordinator.ledger.reconcile import Line
from coordinator.plan import Plan
from coordinator.saga.executor import Executor
from coordinator.saga.machine import LegState, Resumed, SagaState
from tests.simulation.boundary import Killed, Life, Sky, Stuck, WatchedChain, WatchedClock, WatchedJournal
from tests.simulation.database import Database, database
from tests.simulation.judge import Evidence, Violation, judge
from tests.simulation.truth import tell
from tests.simulation.weather import Weather
from tests.simulation.worlds import Scene, draw_plan, draw_scene

Make = Callable[..., Executor]
DURABLE_SHARE = 0.01
MOST_RESUMES = 40
DOWNTIMES = (1, 1, 5, 60, 1_800, 90_000)


class ClearSky:
    """No weather at all."""

    def at(self, door: str, chain: ChainId | None) -> bool:
        return False

    async def linger(self) -> None:
        return None

    def seen(self, leg: LegState) -> None:
        return None


@dataclass
class Outcome:
    """What one schedule showed. `trace`: depends on everything that happened, so that a replay can be compared."""

    seed: int
    violations: list[Violation]
    faults: int = 0
    deaths: int = 0
    reconciled: bool = False
    trace: str = ""
    happened: Counter[str] = field(default_factory=Counter)
    situations: Counter[tuple[str, str]] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


@dataclass
class Stage:
    """Where lives are played: the scene, its plan, the journal's database, and what all lives together sent."""

    scene: Scene
    plan: Plan
    database: Database
    make: Make = Executor
    pause: float = 3.0
    lives: list[Life] = field(default_factory=list)
    heads: list[tuple[int, str]] = field(default_factory=list)

    @property
    def saga(self) -> str:
        return saga_id(self.plan.id)

    def born(self, sky: Sky) -> tuple[WatchedJournal, Executor]:
        """A new process: nothing of an older one but the journal."""
        life = Life(sky)
        self.lives.append(life)
        journal = self.database.journal(life)
        inner = {chain: self.scene.world.chain(chain, [account]) for chain, account in self.scene.accounts.items()}
        chains = {chain: WatchedChain(client, life, journal) for chain, client in inner.items()}
        return journal, self.make(journal, chains, self.scene.rails(chains), WatchedClock(self.scene.clock, life), pause=self.pause)

    async def live(self, sky: Sky) -> bool:
        """One process from start to end; True when it came to an end by itself, False when it died."""
        journal, executor = self.born(sky)
        try:
            with suppress(Fault):
                await self.look(journal, executor)
            with suppress(AlreadyApplied):
                journal.begin(self.plan)
            await executor.run(self.saga)
            return True
        except Killed:
            return False
        finally:
            self._leave(journal)

    def _leave(self, journal: WatchedJournal) -> None:
        head = journal.head()
        if head is not None:
            self.heads.append(head)
        if self.database.path is not None:
            journal.close()

    async def look(self, journal: Journal, executor: Executor) -> tuple[Line, ...]:
        """The look that every turn begins with: snapshots, and the books brought up to them."""
        sagas = [saga for name in journal.sagas() if not (saga := journal.saga(name)).ended]
        snapshots: list[Snapshot] = []
        for chain, account in self.scene.accounts.items():
            snapshots.append(await executor.chains[chain].snapshot([account], self.scene.tokens_on(chain)))
        return await bring_up_to_date(journal, executor.chains, snapshots, sagas)

    def resume(self, journal: Journal) -> bool:
        """A person looks at what is parked and lets it go on; True when there was anything."""
        parked = journal.saga(self.saga).parked
        for leg in parked:
            self._fill_gaps(leg)
            journal.record(self.saga, leg, [Resumed("looked at it; the chain is as it should be")])
        return bool(parked)

    def _fill_gaps(self, leg: LegState) -> None:
        """What the person does about a nonce that nothing carries: uses it, with a transaction that moves nothing."""
        for _, _, pending in leg.live:
            network = self.scene.network(pending.chain)
            waiting = any(t.sender == pending.sender and t.sequence == network.nonce(pending.sender) for t in network.mempool)
            if pending.sequence is not None and network.nonce(pending.sender) < pending.sequence and not waiting:
                nothing = transfer(self.scene.tokens_on(pending.chain)[0].id, pending.sender.address, 0)
                self.scene.foreign.add(network.send_as(pending.sender, (nothing,)))

    async def verdict(self) -> tuple[list[Violation], SagaState, Journal]:
        """Let everything become final, look once more, and judge."""
        for _ in range(3):
            self.scene.world.finalize()
        journal, executor = self.born(ClearSky())
        lines = await self.look(journal, executor)
        wire = [sub for life in self.lives for sub in life.wire]
        saga = journal.saga(self.saga)
        truth = tell(self.scene, self.plan, Counter(sub.reference for sub in wire))
        unrecorded = [reference for life in self.lives for reference in life.unrecorded]
        case = Evidence(self.scene, self.plan, truth, saga, journal, wire, unrecorded, self.heads, lines, journal.book())
        return judge(case), saga, journal


async def play(seed: int, make: Make = Executor) -> Outcome:
    """Play the schedule of a seed to its end and judge it."""
    rng = Random(seed)
    scene = draw_scene(rng)
    readers = {chain: scene.world.chain(chain) for chain in scene.accounts}
    plan = await draw_plan(rng, scene, readers)
    with database(scene.clock, durable=rng.random() < DURABLE_SHARE) as opened:
        stage = Stage(scene, plan, opened, make, pause=rng.choice([2, 4, 8]))
        weather = Weather.drawn(rng, scene)
        outcome = Outcome(seed, [])
        try:
            await _storm(rng, stage, weather)
            outcome.violations, saga, journal = await stage.verdict()
            _note(outcome, stage, saga, journal)
        except Stuck as stuck:
            outcome.violations = [Violation("L1", str(stuck))]
        outcome.faults, outcome.deaths = weather.overview()
        outcome.happened, outcome.situations = weather.happened, weather.situations
    return outcome


async def _storm(rng: Random, stage: Stage, weather: Weather) -> None:
    """Life after life until every leg has ended under a calm sky."""
    journal, executor = stage.born(ClearSky())
    await stage.look(journal, executor)
    rivals: list[asyncio.Task[None]] = []
    weather.rival = lambda: rivals.append(asyncio.ensure_future(_rival(stage, weather)))
    weather.armed = True
    resumes = 0
    while True:
        ended = await stage.live(weather)
        if not ended:
            if weather.person_came:
                weather.person_came = False
                stage.resume(journal)
                weather.legs.update(journal.saga(stage.saga).legs)
            stage.scene.clock.advance(rng.choice(DOWNTIMES))
            continue
        await asyncio.gather(*rivals)
        rivals.clear()
        resumes += 1
        if not stage.resume(journal) or resumes > MOST_RESUMES:
            break
        stage.scene.clock.advance(rng.choice([60, 600]))
    weather.clear()
    weather.armed = False


async def _rival(stage: Stage, weather: Weather) -> None:
    """A second coordinator that believes it owns the saga, for a while; its own process, so it may die of its own."""
    journal, executor = stage.born(weather)
    with suppress(Killed, KeyError, Overtaken):
        for _ in range(weather.rng.randint(1, 6)):
            await executor.advance(journal.saga(stage.saga))
            await stage.scene.clock.sleep(weather.rng.randint(0, 5))


def _note(outcome: Outcome, stage: Stage, saga: SagaState, journal: Journal) -> None:
    outcome.reconciled = not any(v.invariant in ("L2", "S12") for v in outcome.violations)
    outcome.ends = Counter("parked" if leg.parked else leg.state.value for leg in saga.legs.values())
    states = [sorted((str(k), v) for k, v in network.state.items()) for network in stage.scene.world.networks.values()]
    head = list(journal.links())[-1:]
    outcome.trace = digest(head and head[0]["hash"], states, stage.scene.clock.now())


def play_now(seed: int, make: Make = Executor) -> Outcome:
    """`play`, for callers without an event loop."""
    return asyncio.run(play(seed, make))


def broken(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.violations]
