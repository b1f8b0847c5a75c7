"""`apply` and `apply --resume` as a process lives them: once, interrupted anywhere, out of patience, with several sagas."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chains.simulated import DROPPED
from coordinator.drafting import plan_id
from coordinator.exits import Exit
from coordinator.journal.store import verify
from coordinator.saga.machine import Parked
from tests.coordinator.rehearsal import ALPHA, BETA, Rehearsal

START = 9_000 * 10**6


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


async def given(rehearsal: Rehearsal) -> int:
    """What all legs of all sagas give, base units."""
    async with rehearsal.session().app() as app:
        sagas = [app.journal.saga(name) for name in app.journal.sagas()]
        return sum(leg.leg.gives.units for saga in sagas for leg in saga.legs.values())


async def check_end(rehearsal: Rehearsal) -> None:
    """What left is what the plans give, to the unit; all of it is at rest; the journal's chain is whole."""
    assert START - rehearsal.held(ALPHA) == await given(rehearsal) > 0
    async with rehearsal.session().app() as app:
        assert app.journal.book().in_transit() == {}
        assert all(app.journal.saga(name).ended for name in app.journal.sagas())
        assert verify(app.journal) is None


async def test_apply__plan__delivered_and_never_again(rehearsal: Rehearsal, capsys):
    await rehearsal.plan()
    assert await rehearsal.apply() == Exit.OK
    assert '"eip155:31337001/slip44:60": "0"' in capsys.readouterr().out
    await check_end(rehearsal)
    assert await rehearsal.apply() == Exit.STALE
    assert await rehearsal.apply(resume=True) == Exit.OK
    await check_end(rehearsal)


async def test_apply__out_of_patience__says_so_and_resume_finishes(rehearsal: Rehearsal, capsys):
    """The system's time is what patience counts, so the attempt is stopped while the simulated bridge still holds the value."""
    await rehearsal.plan()
    relayer = _relayer(rehearsal)
    relayer.outage = True
    assert await rehearsal.apply(patience=1.5) == Exit.RUNNING
    assert "apply --resume" in capsys.readouterr().err
    relayer.outage = False
    assert await rehearsal.apply(resume=True) == Exit.OK
    await check_end(rehearsal)


def _relayer(rehearsal: Rehearsal):
    (relayer,) = rehearsal.world.agents.values()
    return relayer


@pytest.mark.parametrize("later", [0, 2])
@pytest.mark.parametrize("events", range(9))
async def test_apply__interrupted_after_any_event__resume_ends_the_same_and_nothing_twice(rehearsal: Rehearsal, events: int, later: int):
    """Ctrl-C cancels the command's task at whatever it waits for: between journal and send, in a send, in a look."""
    await rehearsal.plan()
    rehearsal.alpha.faults.sends.append(DROPPED)
    command = asyncio.create_task(rehearsal.apply())
    with closing(sqlite3.connect(f"file:{rehearsal.treasury.database}?mode=ro", uri=True)) as journal:
        while journal.execute("select count(*) from event").fetchone()[0] < events:  # noqa: ASYNC110 - a look from outside
            await asyncio.sleep(0)
    for _ in range(later):
        await asyncio.sleep(0)
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await command
    begun = await _begun(rehearsal)
    assert begun or events == 0
    assert await rehearsal.apply(resume=begun) == Exit.OK
    await check_end(rehearsal)


async def _begun(rehearsal: Rehearsal) -> bool:
    async with rehearsal.session().app() as app:
        return bool(app.journal.sagas())


async def test_resume__several_sagas_under_way__finishes_all(rehearsal: Rehearsal):
    plan = await rehearsal.plan()
    legs = tuple(replace(one, leg=replace(one.leg, id=one.leg.id[::-1])) for one in plan.legs)
    twin = replace(plan, id="", created=plan.created + 1, legs=legs)
    async with rehearsal.session().app() as app:
        app.journal.begin(plan)
        app.journal.begin(replace(twin, id=plan_id(twin)))
    assert await rehearsal.apply(resume=True) == Exit.OK
    await check_end(rehearsal)
    assert START - rehearsal.held(ALPHA) == 2 * plan.legs[0].leg.gives.units


async def test_apply__while_a_saga_is_under_way__is_refused_and_sends_nothing(rehearsal: Rehearsal, capsys):
    plan = await rehearsal.plan()
    twin = replace(plan, id="", created=plan.created + 1)
    async with rehearsal.session().app() as app:
        app.journal.begin(replace(twin, id=plan_id(twin)))
    assert await rehearsal.apply() == Exit.BLOCKED
    assert "apply --resume" in capsys.readouterr().err
    assert rehearsal.held(ALPHA) == START


async def test_resume__a_leg_needs_a_person__says_which_and_why(rehearsal: Rehearsal, capsys):
    plan = await rehearsal.plan()
    async with rehearsal.session().app() as app:
        saga = app.journal.begin(plan)
        (leg,) = saga.legs.values()
        app.journal.record(saga.id, leg, [Parked("who took the nonce?")])
    assert await rehearsal.apply(resume=True) == Exit.IN_DOUBT
    said = capsys.readouterr().err
    assert leg.leg.id[:8] in said
    assert "who took the nonce?" in said


async def test_apply__departure_reverts__nothing_is_lost_and_what_is_next_is_said(rehearsal: Rehearsal, capsys):
    await rehearsal.plan()
    rehearsal.alpha.faults.reverts.extend(["paused"] * 2)
    assert await rehearsal.apply() == Exit.COMPENSATED
    said = capsys.readouterr()
    assert "nothing is lost" in said.err
    assert "coordinator plan" in said.err
    assert "paused" in said.out
    assert rehearsal.held(ALPHA) == START
    assert rehearsal.held(BETA) == 1_000 * 10**6
