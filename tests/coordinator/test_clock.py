"""The simulated clock: sleeping takes no time and keeps its order."""

from __future__ import annotations

import asyncio

from coordinator.clock import SimulatedClock


async def test_sleep__several_sleepers__wake_in_order_of_their_time() -> None:
    clock = SimulatedClock(1_000)
    woken: list[tuple[str, int]] = []

    async def nap(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    await asyncio.gather(nap("long", 60), nap("short", 5), nap("half", 0.5), nap("also long", 60))
    assert woken == [("half", 1_001), ("short", 1_005), ("long", 1_060), ("also long", 1_060)]


async def test_sleep__sleeper_cancelled__does_not_hold_up_the_others() -> None:
    clock = SimulatedClock(0)
    first = asyncio.create_task(clock.sleep(1))
    second = asyncio.create_task(clock.sleep(2))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert clock.now() == 2
