"""What a portfolio's weights risk: volatility, tracking error, contributions, and how weights drift when nothing is traded.

Weights sum to one; results are in the time unit of the covariance (give it per year for yearly figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from policies.risk.covariance import BadEstimate, Floats

YEAR = 365.25 * 86_400
"""Seconds in one trading year: these markets never close."""


def volatility(weights: Floats, covariance: Floats) -> float:
    return float(np.sqrt(max(0.0, float(weights @ covariance @ weights))))


def tracking_error(weights: Floats, target: Floats, covariance: Floats) -> float:
    """Volatility of the difference to the target: sqrt((w-b)'S(w-b))."""
    return volatility(weights - target, covariance)


@dataclass(frozen=True, slots=True)
class Tracking:
    """Tracking error before and after a trade, and its turnover (buys plus sells, share of NAV)."""

    before: float
    after: float
    turnover: float


def compared(before: Floats, after: Floats, target: Floats, covariance: Floats) -> Tracking:
    turnover = float(np.abs(after - before).sum())
    return Tracking(tracking_error(before, target, covariance), tracking_error(after, target, covariance), turnover)


def contributions(weights: Floats, covariance: Floats) -> Floats:
    """w_i (S w)_i / volatility; they sum to the volatility. All zero when there is none."""
    total = volatility(weights, covariance)
    return np.asarray(weights * (covariance @ weights) / total) if total > 0 else np.zeros_like(weights)


def relative_volatility(asset: int, weights: Floats, covariance: Floats) -> float:
    """Volatility of one asset against the portfolio that holds it: sqrt((e-w)'S(e-w))."""
    apart = -weights.copy()
    apart[asset] += 1.0
    return volatility(apart, covariance)


def drifted(weights: Floats, returns: Floats) -> tuple[Floats, Floats]:
    """Hold from `weights` through (T, n) `returns`: the portfolio's return of each bar, and the weights after the last."""
    values = weights * np.cumprod(1.0 + returns, axis=0)
    totals = values.sum(axis=1)
    before = np.concatenate([[weights.sum()], totals[:-1]])
    return totals / before - 1.0, np.asarray(values[-1] / totals[-1])


def diversification_return(weights: Floats, covariance: Floats) -> float:
    """Half of (weighted mean variance minus portfolio variance): what continuous rebalancing adds."""
    return 0.5 * float(weights @ covariance.diagonal() - weights @ covariance @ weights)


def realised_volatility(times: Sequence[int], prices: Floats) -> float:
    """Yearly, from squared log returns over the time that really passed, so that a return across a gap counts as a long one.

    `times`: unix seconds, rising; `prices`: (T,). Raises BadEstimate for less than two prices or a price that is not above zero.
    """
    if len(prices) < 2 or not (np.isfinite(prices).all() and (prices > 0).all()):
        raise BadEstimate("realised volatility needs two prices or more, all above zero")
    passed = times[-1] - times[0]
    if passed <= 0:
        raise BadEstimate("realised volatility needs rising times")
    return float(np.sqrt(np.sum(np.diff(np.log(prices)) ** 2) / passed * YEAR))
