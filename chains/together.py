"""One question for everybody who asks it at the same time, never one that was put before they came.

Whoever comes while the question is under way waits for the next one: no answer is older than the wish to know it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Asks `ask` for any number of callers at once. A fault goes to all who share the question; the next one is asked anew."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asked: asyncio.Task[T] | None = None  # under way: too early for whoever comes now
        self._next: asyncio.Task[T] | None = None  # not asked yet: open to all who come
        self._callers: Counter[asyncio.Task[T]] = Counter()

    async def answer(self) -> T:
        """An answer that was asked for after this call."""
        question = self._next
        if question is None:
            question = self._next = asyncio.create_task(self._put(self._asked))
            question.add_done_callback(_heard)
        self._callers[question] += 1
        try:
            return await asyncio.shield(question)  # one caller that gives up must not take the answer from the others
        finally:
            self._leave(question)

    async def _put(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._asked, self._next = self._next, None
        return await self._ask()

    def _leave(self, question: asyncio.Task[T]) -> None:
        """The last caller who gives up takes the question back: nothing is asked for nobody, least of all after closing."""
        self._callers[question] -= 1
        if self._callers[question]:
            return
        del self._callers[question]
        if not question.done():
            question.cancel()
            if self._next is question:
                self._next = None


def _heard(task: asyncio.Task[T]) -> None:
    """A question whose callers gave up may still meet a fault, of which then nobody is left to be told."""
    if not task.cancelled():
        task.exception()
