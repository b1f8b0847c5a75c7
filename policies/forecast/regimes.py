"""Regimes: calm or storm by the ratio of fast to slow variance, with hysteresis; and the business-time clock that follows from it.

The best band does not depend on volatility, only the clock does: in a storm the same band is reached sooner. So a regime stretches
cadence and horizons (business time), and scales bands only through costs that rise with volatility: Delta grows with cost^(1/3).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from policies.risk.covariance import BadEstimate, Floats
from policies.risk.tracking import YEAR


@dataclass(frozen=True, slots=True)
class Regime:
    """`storm` begins when fast/slow variance exceeds `enter` and ends below `leave` (< enter). `fast`, `slow`: half-lives in seconds."""

    fast: float = 86_400.0
    slow: float = 30 * 86_400.0
    enter: float = 2.0
    leave: float = 1.25

    def __post_init__(self) -> None:
        if not (0 < self.fast < self.slow and 0 < self.leave < self.enter):
            raise BadEstimate("a regime needs 0 < fast < slow and 0 < leave < enter")

    def path(self, times: Floats, prices: Floats) -> tuple[Floats, list[bool]]:
        """(ratio, storm) after every price but the first. Decays with the time that passed, so gaps do no harm."""
        if len(times) < 2 or not (prices > 0).all() or not (np.diff(times) > 0).all():
            raise BadEstimate("a regime needs two prices or more, above zero, at rising times")
        ratios, storms = np.empty(len(times) - 1), []
        fast = slow = None
        storm = False
        for i in range(1, len(times)):
            passed = float(times[i] - times[i - 1])
            rate = log(float(prices[i] / prices[i - 1])) ** 2 / passed
            fast = _decayed(fast, rate, passed / self.fast)
            slow = _decayed(slow, rate, passed / self.slow)
            ratios[i - 1] = fast / slow if slow > 0 else 1.0
            storm = ratios[i - 1] >= self.leave if storm else ratios[i - 1] > self.enter
            storms.append(storm)
        return ratios, storms


def _decayed(level: float | None, rate: float, halflives: float) -> float:
    kept = 0.5**halflives
    return rate if level is None else kept * level + (1 - kept) * rate


def business_seconds(times: Floats, prices: Floats, yearly_volatility: float) -> float:
    """Business time that passed: realised variance over the variance of a usual second. Equal to clock time at usual volatility."""
    if not yearly_volatility > 0:
        raise BadEstimate("business time needs a usual volatility above zero")
    return float(np.sum(np.diff(np.log(prices)) ** 2)) / yearly_volatility**2 * YEAR


def widened(outer: float, usual_cost: float, cost_now: float) -> float:
    """A band whose proportional cost changed: Delta goes with its cube root."""
    if not (usual_cost > 0 and cost_now > 0):
        raise BadEstimate("costs must be above zero")
    return outer * float(np.cbrt(cost_now / usual_cost))
