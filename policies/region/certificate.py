"""The certificate: one multiplier that proves that weights are optimal, so that most turns need no solver.

Name i may be bought at marginal price g_i + kb_i and sold at g_i - ks_i (g: gradient of risk minus return). Weights are optimal
exactly when one price v of the budget lies between every sale and every purchase that is still possible:
max over what can be lowered <= v <= min over what can be raised. `verifier` checks a stored certificate on its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from policies.region.problem import Problem
from policies.risk.covariance import Floats


@dataclass(frozen=True, slots=True)
class Interval:
    """`low`: dearest sale still possible; `high`: cheapest purchase still possible. Optimal when low <= high.

    `seller`, `buyer`: the names behind them (index), for explanations.
    """

    low: float
    high: float
    seller: int
    buyer: int

    @property
    def optimal(self) -> bool:
        return self.low <= self.high

    @property
    def multiplier(self) -> float:
        """A price between both; the finite one when nothing can be bought (or sold)."""
        if not np.isfinite(self.low) or not np.isfinite(self.high):
            return self.low if np.isfinite(self.low) else self.high if np.isfinite(self.high) else 0.0
        return (self.low + self.high) / 2


def slopes(made: Problem, weights: Floats) -> tuple[Floats, Floats]:
    """Marginal cost of lowering and of raising each name from where it is: they differ only at the current weight."""
    above, below = weights > made.current, weights < made.current
    return np.where(above, made.buy, -made.sell), np.where(below, -made.sell, made.buy)


def interval(made: Problem, weights: Floats, gradient: Floats | None = None) -> Interval:
    """The interval of multipliers at `weights`. O(n^2), O(n) when the gradient is known."""
    g = made.gradient(weights) if gradient is None else gradient
    lower, raise_ = slopes(made, weights)
    sales = np.where(weights > made.low, g + lower, -np.inf)
    purchases = np.where(weights < made.high, g + raise_, np.inf)
    seller, buyer = int(np.argmax(sales)), int(np.argmin(purchases))
    return Interval(float(sales[seller]), float(purchases[buyer]), seller, buyer)


def hold(made: Problem) -> Interval:
    """The gate before any solver: is doing nothing optimal? Only meaningful when the current weights keep the bounds."""
    return interval(made, made.current)


def feasible(made: Problem, weights: Floats) -> bool:
    return bool((weights >= made.low).all() and (weights <= made.high).all())


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof that `weights` solve a problem: `multiplier` of the budget; `gap`: proven distance to the optimum, in objective units."""

    weights: tuple[float, ...]
    multiplier: float
    low: float
    high: float
    objective: float
    gap: float
    held: bool

    def document(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def gap(made: Problem, weights: Floats, multiplier: float, gradient: Floats) -> float:
    """Upper bound on objective(weights) minus the optimum, whatever the multiplier: the duality gap. O(n).

    The smooth part lies above its tangent, so the optimum is at least that of the tangent problem; with the budget priced at the
    multiplier it falls apart into names, each piecewise linear with its best point at a bound or at the current weight.
    """

    def name_costs(at: Floats) -> Floats:
        moved = at - made.current
        return np.asarray((gradient - multiplier) * at + np.where(moved > 0, made.buy * moved, -made.sell * moved))

    kink = np.clip(made.current, made.low, made.high)
    best = np.minimum(np.minimum(name_costs(made.low), name_costs(made.high)), name_costs(kink))
    return float(np.sum(name_costs(weights) - best)) + multiplier * (float(weights.sum()) - 1.0)


def certify(made: Problem, weights: Floats, multiplier: float | None = None) -> Certificate:
    """The certificate of these weights. `multiplier`: the solver's, else the middle of the interval."""
    gradient = made.gradient(weights)
    found = interval(made, weights, gradient)
    price = found.multiplier if multiplier is None else multiplier
    distance = gap(made, weights, price, gradient)
    held = bool(np.array_equal(weights, made.current))
    return Certificate(tuple(weights.tolist()), price, found.low, found.high, made.objective(weights, gradient), distance, held)
