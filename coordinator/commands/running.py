"""`run`: the daemon. Alone on its journal, with keys; the dashboard beside it has a thread and an app of its own, without any."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass

from chains.errors import Fault, Misconfigured, WrongNetwork
from coordinator.app import App
from coordinator.clock import SystemClock
from coordinator.commands.serving import Where, until
from coordinator.commands.session import Session
from coordinator.config.environment import supervisor
from coordinator.config.treasury import Treasury
from coordinator.daemon.actor import Actor
from coordinator.daemon.loop import Loop, Pace
from coordinator.daemon.supervisor import Supervisor
from coordinator.daemon.turns import Outcome, Turns
from coordinator.daemon.voice import Voice
from coordinator.exits import Exit
from coordinator.lock import sole_actor

CODES: dict[Outcome, Exit] = {
    "blocked": Exit.BLOCKED,
    "blind": Exit.BLOCKED,
    "refused": Exit.BLOCKED,
    "moved": Exit.STALE,
    "would act": Exit.CHANGES,
    "would resume": Exit.CHANGES,
    "needs you": Exit.IN_DOUBT,
    "partly": Exit.COMPENSATED,
    "under way": Exit.RUNNING,
    "failed": Exit.ERROR,
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How to run. `once`: one turn, whose outcome is the exit code. `dry`: without keys; everything up to the moment of beginning."""

    pace: Pace
    once: bool = False
    dry: bool = False
    deadline: float = 30.0
    dashboard: Where | None = None


async def run(session: Session, manner: Manner) -> Exit:
    """Until SIGTERM or SIGINT, then 0. Raises Occupied beside another actor, Misconfigured for keys and tokens that are wrong."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    voice = Voice(session.clock)
    with nullcontext() if manner.dry else sole_actor(session.treasury.database):
        async with AsyncExitStack() as stack:
            app = await stack.enter_async_context(session.app(keys=not manner.dry))
            await _check(app, voice)
            if manner.dashboard:
                await stack.enter_async_context(_beside(session.treasury, manner.dashboard, voice))
            return await _turns(app, voice, manner, stop)


async def _turns(app: App, voice: Voice, manner: Manner, stop: asyncio.Event) -> Exit:
    actor = Actor(app, voice, manner.dry, manner.deadline)
    system = Supervisor(*supervisor())
    turns = Loop(actor.turn, lambda: actor.acting, app.clock, Turns(app.treasury.database), manner.pace, system)
    voice.note(f"{app.treasury.name}: {'a dry run' if manner.dry else 'running'}, a turn every {manner.pace.every:g} s")
    system.ready(app.treasury.name)
    newest = await turns.run(stop, once=manner.once)
    if stop.is_set():
        left = "what was begun goes on with the next start" if actor.acting and not manner.dry else "nothing is under way"
        voice.note(f"stopped: {left}")
        return Exit.OK
    return CODES.get(newest.outcome, Exit.OK) if newest else Exit.OK


async def _check(app: App, voice: Voice) -> None:
    """What can only be wrong in the configuration stops the start; networks that do not answer now are asked again by each turn."""
    try:
        await app.check_tokens()
    except (Misconfigured, WrongNetwork):
        raise
    except Fault as fault:
        voice.note(f"not checked yet: {fault}")


@asynccontextmanager
async def _beside(treasury: Treasury, where: Where, voice: Voice) -> AsyncIterator[None]:
    """The dashboard in a thread: while the planner thinks, pages still answer. When it fails later, the daemon goes on."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with App.open(treasury, SystemClock(), keys=False) as app:
            await until(stop, app, where, lambda: started.set_result((asyncio.get_running_loop(), stop)))

    def body() -> None:
        try:
            asyncio.run(serve())
        except OSError as problem:
            if started.done():
                raise
            started.set_exception(problem)
        finally:
            if not started.done():
                started.set_exception(RuntimeError("the dashboard ended before it listened; the reason stands above"))

    thread = threading.Thread(target=body, name="dashboard")
    thread.start()
    loop, stop = await asyncio.wrap_future(started)
    voice.note(f"dashboard: {where.address}")
    try:
        yield
    finally:
        if thread.is_alive():
            with suppress(RuntimeError):  # its loop has just ended by itself
                loop.call_soon_threadsafe(stop.set)
            await asyncio.to_thread(thread.join)
