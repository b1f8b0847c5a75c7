"""One rebalance as a problem: tracking risk, expected return and proportional costs, under a budget and bounds.

    min  1/2 g (w-b)'S(w-b) - m'w + sum kb_i (w_i-w0_i)^+ + sum ks_i (w_i-w0_i)^-    with  sum w = 1,  low <= w <= high

Minimum variance, mean-variance and tracking with costs are all this one problem with some parts zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from policies.risk.covariance import BadEstimate, Floats, checked

SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Arrays of length n, `covariance` (n, n); make it with `problem`, which checks.

    `aversion`: g. `target`: b. `current`: w0, drifted. `buy`, `sell`: cost of one unit of weight traded. `mean`: m.
    """

    covariance: Floats
    aversion: float
    target: Floats
    current: Floats
    buy: Floats
    sell: Floats
    mean: Floats
    low: Floats
    high: Floats

    def gradient(self, weights: Floats) -> Floats:
        """Of the smooth part: g S (w-b) - m. O(n^2)."""
        return np.asarray(self.aversion * (self.covariance @ (weights - self.target)) - self.mean)

    def objective(self, weights: Floats, gradient: Floats | None = None) -> float:
        """O(n^2), O(n) when the gradient is known: the risk is half of its slope times the distance."""
        g = self.gradient(weights) if gradient is None else gradient
        moved = weights - self.current
        risk = 0.5 * float((g + self.mean) @ (weights - self.target)) - float(self.mean @ weights)
        return risk + float(self.buy @ np.maximum(moved, 0.0) + self.sell @ np.maximum(-moved, 0.0))


def problem(
    covariance: Floats,
    aversion: float,
    target: Floats,
    current: Floats | None = None,
    *,
    costs: Floats | float | tuple[Floats, Floats] = 0.0,
    mean: Floats | None = None,
    bounds: tuple[Floats | float, Floats | float] = (0.0, 1.0),
) -> Problem:
    """A checked problem. `costs`: one for buying and selling, or a pair (buy, sell). Raises BadEstimate."""
    matrix = checked(covariance)
    size = len(matrix)
    buy, sell = costs if isinstance(costs, tuple) else (costs, costs)
    made = Problem(
        matrix,
        float(aversion),
        _row(target, size, "target"),
        _row(target if current is None else current, size, "current weights"),
        _row(buy, size, "buying costs"),
        _row(sell, size, "selling costs"),
        _row(0.0 if mean is None else mean, size, "expected returns"),
        _row(bounds[0], size, "floors"),
        _row(bounds[1], size, "caps"),
    )
    _refuse(made)
    return made


def _row(value: Floats | float, size: int, what: str) -> Floats:
    row = np.asarray(value, dtype=np.float64)
    row = np.full(size, float(row)) if row.ndim == 0 else row
    if row.shape != (size,):
        raise BadEstimate(f"{what}: {row.shape[0] if row.ndim == 1 else row.shape} values for {size} assets")
    if not np.isfinite(row).all():
        raise BadEstimate(f"{what}: asset {int(np.argmin(np.isfinite(row)))} is {row[np.argmin(np.isfinite(row))]}")
    return row


def _refuse(made: Problem) -> None:
    if not (np.isfinite(made.aversion) and made.aversion > 0):
        raise BadEstimate(f"the aversion to risk is {made.aversion}; it must be above zero")
    if min(float(made.buy.min()), float(made.sell.min())) < 0:
        raise BadEstimate("costs must not be below zero")
    if (made.low > made.high).any():
        raise BadEstimate(f"asset {int(np.argmax(made.low > made.high))} has its floor above its cap")
    if made.low.sum() > 1 + SUM_TOLERANCE or made.high.sum() < 1 - SUM_TOLERANCE:
        raise BadEstimate(f"floors sum to {made.low.sum():.6g}, caps to {made.high.sum():.6g}: no weights that sum to one lie between")
    for what, row in (("current weights", made.current),):
        if abs(float(row.sum()) - 1.0) > SUM_TOLERANCE:
            raise BadEstimate(f"{what} sum to {float(row.sum()):.12g}, not to one")


def document(made: Problem) -> dict[str, Any]:
    """Plain data, to be stored with a certificate."""
    return {name: np.asarray(getattr(made, name)).tolist() for name in Problem.__slots__}


def from_document(data: Mapping[str, Any]) -> Problem:
    """The problem as stored, checked again. Raises BadEstimate."""
    row = {name: np.asarray(data[name], dtype=np.float64) for name in Problem.__slots__}
    return problem(
        row["covariance"],
        float(data["aversion"]),
        row["target"],
        row["current"],
        costs=(row["buy"], row["sell"]),
        mean=row["mean"],
        bounds=(row["low"], row["high"]),
    )
