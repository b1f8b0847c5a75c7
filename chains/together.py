"""One question for everybody who asks it at the same time, never one that was put before they came.

Whoever comes while the question is under way waits for the next one: no answer is older than the wish to know it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Asks `ask` for any number of callers at once. A fault goes to all who share the question; the next one is asked anew."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asked: asyncio.Task[T] | None = None  # under way: too early for whoever comes now
        self._next: asyncio.Task[T] | None = None  # not asked yet: open to all who come

    async def answer(self) -> T:
        """An answer that was asked for after this call."""
        if self._next is None:
            self._next = asyncio.create_task(self._put(self._asked))
            self._next.add_done_callback(_heard)
        return await asyncio.shield(self._next)  # one caller that gives up must not take the answer from the others

    async def _put(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._asked, self._next = self._next, None
        return await self._ask()


def _heard(task: asyncio.Task[T]) -> None:
    """All callers may be gone by now; then nobody is left to be told of a fault."""
    if not task.cancelled():
        task.exception()
