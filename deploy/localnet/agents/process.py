"""The frame of an agent process: arguments, log, HTTP server, control endpoint, ready file, clean end."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.typedefs import Handler

HOST = "127.0.0.1"
REQUEST_SECONDS = 10
log = logging.getLogger("agent")


class Controls:
    """What a test can ask of an agent.

    `paused`: answers 503 and does no work. `delay_s`: work or answers come this many seconds later.
    `fail_next`: this many requests (or deliveries) fail. An agent adds settings of its own, with their defaults.
    """

    def __init__(self, own: Mapping[str, Any] | None = None) -> None:
        self.paused = False
        self.delay_s = 0.0
        self.fail_next = 0
        self.own: dict[str, Any] = dict(own or {})

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set some, leave the others. Raises `ValueError` on an unknown name or a value of another type."""
        known = self.to_json()
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown control {name!r}; known: {', '.join(known)}")
            wanted = (int, float) if isinstance(known[name], float) else type(known[name])
            if not isinstance(value, wanted) or isinstance(value, bool) != isinstance(known[name], bool):
                raise ValueError(f"control {name!r} is a {type(known[name]).__name__}, not {value!r}")
        for name, value in changes.items():
            if name in self.own:
                self.own[name] = value
            else:
                setattr(self, name, value)

    def to_json(self) -> dict[str, Any]:
        return {"paused": self.paused, "delay_s": self.delay_s, "fail_next": self.fail_next} | self.own

    def takes_failure(self) -> bool:
        """True when this request or delivery is one of those that must fail."""
        if self.fail_next <= 0:
            return False
        self.fail_next -= 1
        return True


class Agent(Protocol):
    """One agent: what it serves, what it does meanwhile, what it tells about itself."""

    controls: Controls
    delays_answers: bool
    """True when `delay_s` holds back answers; otherwise the agent applies it to its work."""

    def routes(self) -> list[web.RouteDef]: ...

    def state(self) -> dict[str, Any]: ...

    async def work(self) -> None:
        """Runs until cancelled; ending by itself ends the process."""


Make = Callable[[dict[str, Any], ClientSession], Agent]
"""Builds an agent from `network.json` and an HTTP session."""


async def for_ever() -> None:
    """The work of an agent that only answers."""
    await asyncio.Event().wait()


def json_error(status: int, **body: Any) -> web.Response:
    return web.json_response(body, status=status)


def _application(agent: Agent) -> web.Application:
    controls = agent.controls

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(controls.to_json() | {"state": agent.state()})

    async def change(request: web.Request) -> web.Response:
        try:
            controls.change(await request.json())
        except ValueError as error:
            return json_error(400, error=str(error))
        return await show(request)

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/control":
            if controls.paused:
                return json_error(503, error="the service is paused")
            if agent.delays_answers and controls.delay_s:
                await asyncio.sleep(controls.delay_s)
            if agent.delays_answers and controls.takes_failure():
                return json_error(500, error="the service was asked to fail")
        return await handler(request)

    app = web.Application(middlewares=[gate])
    app.add_routes([web.get("/control", show), web.post("/control", change), *agent.routes()])
    return app


async def open_agent(agent: Agent, port: int) -> web.AppRunner:
    """Serve an agent on loopback; its work is started by the caller. Close with `await runner.cleanup()`."""
    runner = web.AppRunner(_application(agent), access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    return runner


def _announce(home: Path, name: str, url: str) -> None:
    partial = home / f".{name}.json.{os.getpid()}"
    partial.write_text(json.dumps({"url": url, "services": {name: url}}))
    partial.replace(home / f"{name}.json")


async def _serve(name: str, make: Make, home: Path, port: int) -> None:
    book = json.loads((home / "network.json").read_text())
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with ClientSession(timeout=ClientTimeout(total=REQUEST_SECONDS)) as session:
        agent = make(book, session)
        runner = await open_agent(agent, port)
        work, stop = asyncio.create_task(agent.work()), asyncio.create_task(stopped.wait())
        _announce(home, name, f"http://{HOST}:{port}")
        log.info("ready on port %d", port)
        done, waiting = await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await runner.cleanup()
        for task in done:
            task.result()
    log.info("stopped")


def run(name: str, make: Make) -> None:
    """The `main` of an agent: `--home DIR --port P` until SIGTERM."""
    parser = argparse.ArgumentParser(prog=f"python -m deploy.localnet.agents.{name}")
    parser.add_argument("--home", type=Path, required=True, help="holds network.json; the ready file is written here")
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1")
    arguments = parser.parse_args()
    home: Path = arguments.home
    (home / "logs").mkdir(parents=True, exist_ok=True)
    (home / f"{name}.json").unlink(missing_ok=True)  # a leftover would say "ready" too early
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(filename=home / "logs" / f"{name}.log", level=logging.INFO, format=form)
    asyncio.run(_serve(name, make, home, arguments.port))
