"""A transfer that stays under way for a year: tracked, never repeated, delivered in the end."""

from __future__ import annotations

from chains.base import Submission
from coordinator.portfolio import portfolio
from coordinator.saga.machine import State
from policies.base import Prices
from tests.simulation.arranged import ARRANGEMENTS, halted, plan_of, scene_of, staged
from tests.simulation.schedule import ClearSky, Stage

DAY = 86_400


def sent(stage: Stage) -> list[Submission]:
    return [submission for life in stage.lives for submission in life.wire]


async def test_transfer__365_days_in_flight_over_twelve_restarts__tracked_and_delivered_once() -> None:
    chosen = ARRANGEMENTS["evm to solana, claimed"]
    scene = scene_of(chosen)
    halted(scene)
    plan = await plan_of(scene, chosen)
    hop = plan.legs[0].leg
    with staged(scene, plan, chosen) as stage:
        journal, executor = stage.born(ClearSky())
        await stage.look(journal, executor)
        state = journal.begin(plan)
        while state.legs[hop.id].state is not State.IN_TRANSIT:
            state = await executor.advance(state)
            await scene.clock.sleep(chosen.pause)
        before = len(sent(stage))
        for day in range(365):
            if day % 30 == 0:
                journal, executor = stage.born(ClearSky())
            await scene.clock.sleep(DAY)
            state = await executor.advance(journal.saga(stage.saga))
            assert state.legs[hop.id].state is State.IN_TRANSIT
        assert len(sent(stage)) == before
        assert list(journal.book().in_transit().values()) == [hop.gives.units]
        await _sees_it_arriving(stage)
        scene.bridges["hop0"][1].outage = False
        assert await stage.live(ClearSky())
        violations, saga, _ = await stage.verdict()
    assert violations == []
    assert saga.legs[hop.id].state is State.DELIVERED


async def _sees_it_arriving(stage: Stage) -> None:
    """Policies still count what is on its way, so nothing plans it a second time."""
    journal, executor = stage.born(ClearSky())
    scene = stage.scene
    snapshots = [await executor.chains[chain].snapshot([account], scene.tokens_on(chain)) for chain, account in scene.accounts.items()]
    seen = portfolio(snapshots, scene.tokens, [journal.saga(stage.saga)], Prices({}), scene.clock.now())
    planned = stage.plan.legs[0]
    position = next(p for p in seen.positions if p.token == planned.leg.lane.target)
    assert position.arriving == planned.quote.takes.units
