"""One question shared: never an answer older than the call, and a fault that stays with those who shared it."""

from __future__ import annotations

import asyncio

import pytest

from chains.errors import Unreachable
from chains.together import Together


class Source:
    """Counts questions; each is answered when the test lets it, with the count at the time it was put."""

    def __init__(self) -> None:
        self.asked = 0
        self.gate = asyncio.Event()

    async def ask(self) -> int:
        self.asked += 1
        now = self.asked
        await self.gate.wait()
        return now


async def everybody_ran() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_answer__many_at_the_same_time__one_question() -> None:
    source = Source()
    source.gate.set()
    together = Together(source.ask)
    assert await asyncio.gather(*(together.answer() for _ in range(10))) == [1] * 10
    assert source.asked == 1


async def test_answer__question_already_under_way__waits_for_the_next_one() -> None:
    source = Source()
    together = Together(source.ask)
    first = asyncio.create_task(together.answer())
    await everybody_ran()
    late = [asyncio.create_task(together.answer()) for _ in range(3)]
    await everybody_ran()
    assert source.asked == 1
    source.gate.set()
    assert await first == 1
    assert await asyncio.gather(*late) == [2, 2, 2]


async def test_answer__fault__told_to_all_who_shared_it_and_asked_anew_afterwards() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise Unreachable("nobody there")
        return asked

    together = Together(ask)
    answers = await asyncio.gather(together.answer(), together.answer(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unreachable, Unreachable]
    assert await together.answer() == 2


async def test_answer__one_caller_gives_up__the_others_still_hear() -> None:
    source = Source()
    together = Together(source.ask)
    gone, stays = asyncio.create_task(together.answer()), asyncio.create_task(together.answer())
    await everybody_ran()
    gone.cancel()
    await everybody_ran()
    source.gate.set()
    assert await stays == 1
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_answer__everybody_gives_up__question_is_taken_back_and_the_next_asked_anew() -> None:
    source = Source()
    together = Together(source.ask)
    under_way = asyncio.create_task(together.answer())
    await everybody_ran()
    waiting = asyncio.create_task(together.answer())
    await everybody_ran()
    for caller in (waiting, under_way):
        caller.cancel()
    later = asyncio.create_task(together.answer())
    await everybody_ran()
    source.gate.set()
    assert await later == 2
    assert source.asked == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}
