"""The watcher: looks again in time, sooner after a change, and keeps what it had when it cannot look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from chains.ids import TokenId
from coordinator.decisions import Decisions
from coordinator.web.watcher import SOON
from tests.coordinator.rehearsal import ALPHA, USDC_A
from tests.coordinator.web.conftest import Desk


async def watched(desk: Desk, seconds: int, then: Callable[[], object] = lambda: None) -> list[int]:
    """Let it run for so long; the moments of its looks, in seconds from the beginning. `then`: done once after the first."""
    start, looks = desk.app.clock.now(), list[int]()
    work = asyncio.create_task(desk.watcher.run())
    async with desk.watcher.reader() as news:
        while desk.app.clock.now() - start < seconds:
            await news.wait()
            news.clear()
            taken = desk.watcher.glance.taken
            if taken is not None and taken - start not in looks:
                looks.append(taken - start)
                if len(looks) == 1:
                    then()
    work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return looks


async def test_run__nothing_happens__a_look_every_so_often(desk: Desk):
    assert (await watched(desk, 40))[:3] == [0, 15, 30]


async def test_run__something_is_written__looks_soon(desk: Desk):
    plan = await desk.rehearsal.plan(write=False)
    looks = await watched(desk, 12, then=lambda: desk.app.journal.begin(plan))
    assert looks[0] < looks[1] <= looks[0] + 2 + SOON


async def test_look__fails__keeps_what_was_seen_and_says_why(desk: Desk):
    await desk.watcher.look()
    seen = desk.watcher.glance.seen
    unread = (None, TokenId(ALPHA, "erc20", USDC_A))
    desk.rehearsal.alpha.faults.unread.add(unread)
    await desk.watcher.look()
    assert desk.watcher.glance.seen is seen
    assert "could not be read" in desk.watcher.glance.problem
    desk.rehearsal.alpha.faults.unread.remove(unread)
    await desk.watcher.look()
    assert desk.watcher.glance.problem == ""


async def test_look__only_shows__policies_do_not_remember_it(desk: Desk):
    await desk.watcher.look()
    assert list(Decisions(desk.app.treasury.database).records()) == []


async def test_stale__looks_have_stopped__says_so(desk: Desk):
    assert desk.watcher.stale
    await desk.watcher.look()
    assert not desk.watcher.stale
    desk.rehearsal.clock.advance(3 * 15 + 11)
    assert desk.watcher.stale


async def test_records__nothing_written__not_folded_again(desk: Desk):
    await desk.turn()
    first = desk.watcher.records.runs[0]
    assert desk.watcher.records.refresh() is False
    assert desk.watcher.records.runs[0] is first
