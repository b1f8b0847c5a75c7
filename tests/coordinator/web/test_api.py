"""The JSON API gives what the commands give with `--json`."""

from __future__ import annotations

from coordinator.turn import look
from coordinator.views import ledger, plan, status
from coordinator.views.words import Names
from tests.coordinator.web.conftest import Desk


async def test_status__before_the_first_look__503_and_when_to_ask_again(desk: Desk):
    async with desk.client.get("/api/v1/status") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert "error" in await answer.json()


async def test_status__after_a_look__the_status_view_and_its_age(desk: Desk):
    await desk.watcher.look()
    told = await desk.json("/api/v1/status")
    extra = {name: told.pop(name) for name in ("looked", "stale", "problem")}
    assert told == status.status(desk.app, await look(desk.app))
    assert extra == {"looked": desk.app.clock.now(), "stale": False, "problem": ""}


async def test_plans__after_a_run__listed_and_each_as_the_plan_view(desk: Desk):
    await desk.turn()
    rows = (await desk.json("/api/v1/plans"))["plans"]
    assert [row["outcome"] for row in rows] == ["delivered"]
    told = await desk.json(f"/api/v1/plans/{rows[0]['id']}")
    made = desk.app.journal.plan(rows[0]["id"])
    assert made is not None
    expected = plan.plan(made, Names(desk.app.treasury))
    assert {key: told[key] for key in expected} == expected


async def test_transfers__after_a_run__each_leg_with_its_facts(desk: Desk):
    await desk.turn()
    rows = (await desk.json("/api/v1/transfers"))["transfers"]
    assert rows
    for row in rows:
        told = await desk.json(f"/api/v1/transfers/{row['leg']}")
        assert told["facts"][0]["what"] == "its turn came"
        assert told["facts"][-1]["state"] == row["state"] == "delivered"


async def test_ledger__last__as_many_entries_as_asked(desk: Desk):
    await desk.turn()
    told = await desk.json("/api/v1/ledger?last=2")
    assert told == ledger.ledger(desk.app, 2)
    assert len(told["entries"]) == 2


async def test_unknown__plan_or_leg__404_that_says_where_to_look(desk: Desk):
    assert "lists all" in (await desk.json("/api/v1/plans/abcdefgh", status=404))["error"]
    assert "lists all" in (await desk.json("/api/v1/transfers/abcdefgh", status=404))["error"]
