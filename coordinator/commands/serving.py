"""`serve`: the dashboard. Opens the treasury without keys, so that whatever happens to the pages, nothing can be signed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from coordinator.app import App
from coordinator.commands.session import Session
from coordinator.exits import Exit
from coordinator.web.site import build
from coordinator.web.watcher import Watcher

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
GOODBYE = 2.0  # seconds that open pages have to finish when the server stops


@dataclass(frozen=True, slots=True)
class Where:
    """`host`: the address to listen at. `names`: host names beside loopback by which it may be called."""

    port: int
    host: str = "127.0.0.1"
    names: Sequence[str] = ()
    every: float = 15.0

    @property
    def address(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


async def serve(session: Session, where: Where) -> Exit:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with session.app() as app:
        session.out.note(f"{app.treasury.name}: {where.address}   it only looks; stop with Ctrl-C")
        if where.host not in LOOPBACK:
            session.out.note(f"{where.host} is not loopback: whoever reaches it can read everything. Put a login before it")
        await until(stop, app, where)
    return Exit.OK


async def until(stop: asyncio.Event, app: App, where: Where, listens: Callable[[], None] = lambda: None) -> None:
    """Serve until `stop` is set; `listens` is called once it answers.

    A bug in looking ends it with its traceback; a fault of the outside world does not.
    """
    watcher = Watcher(app, where.every)
    runner = await listening(watcher, where.host, where.port, where.names)
    listens()
    looking = asyncio.create_task(watcher.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if looking in done:
            looking.result()
    finally:
        for task in (looking, stopping):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        watcher.close()
        await runner.cleanup()


async def listening(watcher: Watcher, host: str, port: int, names: Collection[str]) -> web.AppRunner:
    """A server that answers. Raises OSError when the port is taken."""
    runner = web.AppRunner(build(watcher, names), access_log=None, shutdown_timeout=GOODBYE)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
