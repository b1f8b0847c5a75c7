"""How long to wait before asking again: one tenacity policy for reads, one pause for a leg that found nothing new."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from chains.errors import Fault, RateLimited, Reaction
from coordinator.clock import Clock

T = TypeVar("T")


def may_repeat(problem: BaseException) -> bool:
    """Only what surely did not happen is asked again as it was; a send never is."""
    return isinstance(problem, Fault) and problem.reaction is Reaction.RETRY


def _wait(state: RetryCallState) -> float:
    problem = state.outcome.exception() if state.outcome else None
    asked = problem.after if isinstance(problem, RateLimited) else None
    return asked if asked is not None else wait_exponential_jitter(multiplier=0.2, max=8.0)(state)


async def reading(ask: Callable[[], Awaitable[T]], clock: Clock, attempts: int = 5) -> T:
    """Ask a network or API to show something, again while it answers RETRY; the last fault is raised as it is. Never wrap a send."""
    policy = AsyncRetrying(
        retry=retry_if_exception(may_repeat), stop=stop_after_attempt(attempts), wait=_wait, sleep=clock.sleep, reraise=True
    )

    async def once() -> T:  # tenacity awaits only what is itself a coroutine function, which a lambda is not
        return await ask()

    return await policy(once)
