"""`unpark`: a leg that stopped for a person goes on after their word, and not without it."""

from __future__ import annotations

from pathlib import Path

from coordinator.commands.doctor import doctor
from coordinator.commands.unparking import unpark
from coordinator.exits import Exit
from coordinator.saga.machine import Parked, Resumed
from tests.coordinator.rehearsal import Rehearsal


async def parked(rehearsal: Rehearsal) -> str:
    """Begin a plan whose first leg stopped for a person; the leg's id."""
    plan = await rehearsal.plan()
    async with rehearsal.session().app() as app:
        saga = app.journal.begin(plan)
        leg = next(iter(saga.legs.values()))
        app.journal.record(saga.id, leg, [Parked("a transaction that is not ours used the account")])
    return leg.leg.id


async def test_unpark__parked_leg__goes_on_and_keeps_the_reason(tmp_path: Path):
    rehearsal = Rehearsal(tmp_path)
    leg = await parked(rehearsal)
    assert await rehearsal.apply(resume=True) == Exit.IN_DOUBT
    assert await unpark(rehearsal.session(), leg[:8], "it was ours after all") == Exit.OK
    assert await rehearsal.apply(resume=True) == Exit.OK
    async with rehearsal.session().app() as app:
        story = app.journal.story(app.journal.sagas()[0])
        assert Resumed("it was ours after all") in [fact for _, fact, _ in story]


async def test_unpark__no_such_leg__says_which_are_parked(tmp_path: Path, capsys):
    rehearsal = Rehearsal(tmp_path)
    leg = await parked(rehearsal)
    assert await unpark(rehearsal.session(), "ffff", "typo") == Exit.USAGE
    assert leg[:8] in capsys.readouterr().err
    assert await rehearsal.apply(resume=True) == Exit.IN_DOUBT


async def test_doctor__parked_leg__says_with_which_command_it_goes_on(tmp_path: Path, capsys):
    rehearsal = Rehearsal(tmp_path)
    leg = await parked(rehearsal)
    assert await doctor(rehearsal.session()) == Exit.ERROR
    assert f"coordinator unpark {leg[:8]} --reason" in capsys.readouterr().out
