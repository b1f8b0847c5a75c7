"""`run` and `serve` as commands: exit codes, the lock, signals, a port that is taken."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from coordinator.commands import running, serving
from coordinator.commands.running import Manner
from coordinator.commands.serving import Where
from coordinator.daemon.loop import Pace
from coordinator.daemon.turns import Turns
from coordinator.exits import Exit
from coordinator.lock import Occupied, sole_actor
from tests.coordinator.rehearsal import BETA, Rehearsal

ONCE, DRY = Manner(Pace(), once=True), Manner(Pace(), once=True, dry=True)


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def test_run__once_out_of_band__delivers_and_ends_with_0(rehearsal: Rehearsal):
    assert await running.run(rehearsal.session(), ONCE) is Exit.OK
    assert rehearsal.held(BETA) > 3_000 * 10**6
    assert [turn.outcome for turn in Turns(rehearsal.treasury.database).newest(9)] == ["delivered"]


async def test_run__once_dry_out_of_band__10_and_nothing_moved(rehearsal: Rehearsal):
    assert await running.run(rehearsal.session(), DRY) is Exit.CHANGES
    assert rehearsal.held(BETA) == 1_000 * 10**6


async def test_run__another_acts__refused(rehearsal: Rehearsal):
    with sole_actor(rehearsal.treasury.database), pytest.raises(Occupied):
        await running.run(rehearsal.session(), ONCE)


async def test_run__another_acts_and_it_is_dry__looks_beside_it(rehearsal: Rehearsal):
    with sole_actor(rehearsal.treasury.database):
        assert await running.run(rehearsal.session(), DRY) is Exit.CHANGES


async def test_run__sigterm_between_turns__ends_with_0(rehearsal: Rehearsal, capfd: pytest.CaptureFixture[str]):
    work = asyncio.create_task(running.run(rehearsal.session(), Manner(Pace(every=5))))
    turns = Turns(rehearsal.treasury.database)
    async with asyncio.timeout(60):
        while len(turns.newest(3)) < 3:  # noqa: ASYNC110 - the file has no event to wait for
            await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await work is Exit.OK
    assert "stopped: nothing is under way" in capfd.readouterr().err


async def test_run__dashboard_port_is_taken__said_before_anything_is_done(rehearsal: Rehearsal, taken: int):
    with pytest.raises(OSError, match="address already in use"):
        await running.run(rehearsal.session(), Manner(Pace(), once=True, dashboard=Where(taken)))
    assert rehearsal.held(BETA) == 1_000 * 10**6


async def test_serve__sigterm__pages_until_then_and_0(rehearsal: Rehearsal, capfd: pytest.CaptureFixture[str]):
    where = Where(free())
    work = asyncio.create_task(serving.serve(rehearsal.session(), where))
    async with asyncio.timeout(60), ClientSession() as reader:
        while True:
            try:
                async with reader.get(where.address + "/") as answer:
                    assert answer.status == 200
                    break
            except OSError:
                await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await work is Exit.OK
    assert where.address in capfd.readouterr().err


async def test_serve__open_event_stream__does_not_hold_up_the_end(rehearsal: Rehearsal):
    where = Where(free())
    work = asyncio.create_task(serving.serve(rehearsal.session(), where))
    async with asyncio.timeout(60), ClientSession() as reader:
        while True:
            try:
                answer = await reader.get(where.address + "/api/v1/events")
                break
            except OSError:
                await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await work is Exit.OK
        answer.close()


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")])
def test_where__host__its_address(host: str, address: str):
    assert Where(80, host).address == address
