"""A turn of a whole treasury in memory: what each situation comes to, and that nothing is begun which should not be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from chains.ids import TokenId
from coordinator.app import App
from coordinator.daemon.actor import Actor
from coordinator.daemon.voice import Voice
from coordinator.saga.machine import Parked
from coordinator.turn import open_sagas
from tests.coordinator.rehearsal import ALPHA, BETA, USDC_A, Rehearsal


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


@pytest.fixture
async def app(rehearsal: Rehearsal) -> AsyncIterator[App]:
    async with rehearsal.session().app() as opened:
        yield opened


def actor(app: App, *, dry: bool = False) -> Actor:
    return Actor(app, Voice(app.clock), dry)


async def test_turn__out_of_band__plans_applies_and_delivers(rehearsal: Rehearsal, app: App):
    turn = await actor(app).turn()
    assert turn.outcome == "delivered"
    assert turn.nav == "16000.00"
    assert rehearsal.held(BETA) > 3_300 * 10**6
    assert app.journal.plan(turn.plan) is not None


async def test_turn__after_a_delivery__waits(app: App):
    one = actor(app)
    await one.turn()
    turn = await one.turn()
    assert turn.outcome == "waits"
    assert len(app.journal.sagas()) == 1


async def test_turn__dry__says_what_it_would_do_and_begins_nothing(rehearsal: Rehearsal, app: App):
    assert set(app.chains) == {ALPHA, BETA}
    before = rehearsal.held(ALPHA)
    turn = await actor(app, dry=True).turn()
    assert turn.outcome == "would act"
    assert app.journal.sagas() == []
    assert rehearsal.held(ALPHA) == before


async def test_turn__stopped_in_the_middle__the_next_one_goes_on_and_sends_nothing_twice(rehearsal: Rehearsal, app: App):
    work = asyncio.create_task(actor(app).turn())
    while not any(leg.departure for saga in open_sagas(app) for leg in saga.legs.values()):  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    turn = await actor(app).turn()
    assert turn.outcome == "delivered"
    assert len(app.journal.sagas()) == 1
    plan = app.journal.plan(turn.plan)
    assert plan is not None
    assert 9_000 * 10**6 - rehearsal.held(ALPHA) == sum(planned.leg.gives.units for planned in plan.legs)


async def test_turn__dry_while_something_is_under_way__does_not_touch_it(rehearsal: Rehearsal, app: App):
    app.journal.begin(await rehearsal.plan())
    turn = await actor(app, dry=True).turn()
    assert turn.outcome == "would resume"
    assert app.journal.extent()[1] == 0


async def test_turn__a_leg_needs_a_person__says_so_and_plans_nothing_new(rehearsal: Rehearsal, app: App):
    saga = app.journal.begin(await rehearsal.plan())
    app.journal.record(saga.id, next(iter(saga.legs.values())), [Parked("somebody else has the key")])
    for _ in range(2):
        turn = await actor(app).turn()
        assert turn.outcome == "needs you"
        assert "somebody else has the key" in turn.reason
    assert app.journal.sagas() == [saga.id]


async def test_turn__a_rule_stands_against_the_plan__refused_with_the_rule(app: App):
    treasury = app.treasury
    app.treasury = replace(treasury, limits=replace(treasury.limits, per_day=Fraction(1)))
    turn = await actor(app).turn()
    assert turn.outcome == "refused"
    assert turn.reason.startswith("per_day")
    assert app.journal.sagas() == []


async def test_turn__a_balance_cannot_be_read__failed_with_the_reason(rehearsal: Rehearsal, app: App):
    assert set(app.chains) == {ALPHA, BETA}
    rehearsal.alpha.faults.unread.add((None, TokenId(ALPHA, "erc20", USDC_A)))
    turn = await actor(app).turn()
    assert turn.outcome == "failed"
    assert "could not be read" in turn.reason
    assert turn.nav is None


async def test_turn__a_price_is_missing__blind(rehearsal: Rehearsal, app: App):
    rehearsal.clock.advance(200 * 365 * 86_400)  # beyond the moment until which the stated prices hold
    turn = await actor(app).turn()
    assert turn.outcome == "blind"
    assert "ETH has no price" in turn.reason
