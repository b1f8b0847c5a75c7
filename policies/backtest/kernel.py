"""The threshold loop compiled by numba where it is installed (extra `fast`): same numbers as `fast.jump`, which is its pure-NumPy twin.

Only for bands that land on their ideals; floats decide, and the closest approach to an edge is measured as `fast` does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from policies.risk.covariance import Floats

Loop = Callable[..., tuple[Any, Any, float]]


def _loop(prices: Any, low: Any, high: Any, ideal: Any, numbers: Any) -> tuple[Any, Any, float]:
    """(values, bars of trades, closest approach). `numbers`: start value after entry, proportional cost, cost a leg."""
    bars, size = prices.shape
    held, values, trades = np.empty(size), np.empty(bars), np.empty(bars, np.int64)
    count, closest = 0, np.inf
    for i in range(size):
        held[i] = numbers[0] * ideal[i] / prices[0, i]
    for t in range(bars):
        nav = 0.0
        for i in range(size):
            nav += held[i] * prices[t, i]
        over = -np.inf
        for i in range(size):
            worth = held[i] * prices[t, i]
            over = max(over, worth - high[i] * nav, low[i] * nav - worth)
        closest = min(closest, abs(over) / nav)
        if over > 0:
            moved, legs = 0.0, 0
            for i in range(size):
                apart = abs(nav * ideal[i] - held[i] * prices[t, i])
                moved += apart
                legs += apart > 0
            nav -= numbers[1] * moved + numbers[2] * legs
            for i in range(size):
                held[i] = nav * ideal[i] / prices[t, i]
            trades[count] = t
            count += 1
        values[t] = nav
    return values, trades[:count], closest


@cache
def compiled() -> Loop | None:
    """The loop as machine code; None without numba. The first call compiles (about a second), then it is cached on disk."""
    try:
        from numba import njit
    except ImportError:
        return None
    made: Loop = njit(cache=True)(_loop)
    return made


def thresholds(prices: Floats, edges: tuple[Floats, Floats, Floats], numbers: tuple[float, float, float]) -> tuple[Any, Any, float] | None:
    """The loop over (bars, assets) prices; `edges`: low, high, ideal. None where numba is not installed."""
    loop = compiled()
    return None if loop is None else loop(prices, *edges, np.array(numbers))
