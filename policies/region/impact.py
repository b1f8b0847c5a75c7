"""Market impact: what a trade costs beyond fees, from pool depth or a power law, and the rebalance that takes it into account.

Sizes and depths are shares of NAV (or any one unit of value); costs are in the same unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from policies.region.problem import Problem
from policies.risk.covariance import BadEstimate, Floats

STEPS, INNER = 20_000, 60
TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Almgren:
    """Permanent (I), temporary (K) and expected (J) cost as fractions of price."""

    permanent: float
    temporary: float
    expected: float


def almgren(part_of_volume: float, shares_over_volume: float, volatility: float, days: float) -> Almgren:
    """Almgren, Thum, Hauptmann, Li (2005): I = .314 s (X/V) (Theta/V)^1/4, K = .142 s |X/(V T)|^3/5, J = I/2 + K. `volatility`: daily."""
    permanent = 0.314 * volatility * part_of_volume * shares_over_volume**0.25
    temporary = 0.142 * volatility * abs(part_of_volume / days) ** 0.6
    return Almgren(permanent, temporary, permanent / 2 + temporary)


def pool_cost(size: float, depth: float) -> float:
    """What a constant-product pool keeps of a trade by price impact: x^2/(R+x), R the value of one reserve. Fees come on top."""
    return size * size / (depth + abs(size))


@dataclass(frozen=True, slots=True, eq=False)
class Impact:
    """Cost of trading x, name by name: `pool` x^2/(c+|x|) with c the depth, or `power` c |x|^(3/2)."""

    kind: str
    scale: Floats

    def cost(self, moved: Floats) -> float:
        size = np.abs(moved)
        each = self.scale * size**1.5 if self.kind == "power" else size * size / (self.scale + size)
        return float(each.sum())

    def prox(self, moved: Floats, linear: Floats, weight: float) -> Floats:
        """argmin over q of weight/2 (q-moved)^2 + linear |q| + impact(q), name by name."""
        pull = np.maximum(np.abs(moved) - linear / weight, 0.0)
        if self.kind == "power":
            half = 1.5 * self.scale / weight
            size = (0.5 * (np.sqrt(half * half + 4 * pull) - half)) ** 2
        else:
            size = _pool_prox(pull, self.scale, weight)
        return np.asarray(np.sign(moved) * size)


def _pool_prox(pull: Floats, depth: Floats, weight: float) -> Floats:
    """Newton on weight (q-pull) + (q^2+2Rq)/(R+q)^2 = 0: rising and concave in q, so it converges from above without overshoot."""
    size = pull.copy()
    for _ in range(INNER):
        reach = depth + size
        value = weight * (size - pull) + 1.0 - (depth / reach) ** 2
        step = value / (weight + 2 * depth**2 / reach**3)
        size = np.maximum(size - step, 0.0)
        if float(np.max(np.abs(step), initial=0.0)) < 1e-16:
            break
    return size


def solve_impact(made: Problem, impact: Impact) -> Floats:
    """Optimal weights with impact on top of the proportional costs: restarted accelerated proximal gradient.

    A name is left exactly alone when its marginal gain is below its proportional cost. Buying and selling costs must be equal,
    and the current weights must keep the bounds. Raises BadEstimate otherwise.
    """
    if not np.array_equal(made.buy, made.sell) or not _inside(made):
        raise BadEstimate("with impact, buying and selling must cost the same and current weights must keep the bounds")
    if impact.kind not in {"pool", "power"} or not (impact.scale > 0).all():
        raise BadEstimate("impact is pool or power, with a scale above zero for every name")
    weight = made.aversion * float(np.linalg.norm(made.covariance, 2))
    w, y, momentum = made.current.copy(), made.current.copy(), 1.0
    for _ in range(STEPS):
        new = _projected(made, impact, y - made.gradient(y) / weight, weight)
        change = new - w
        if float((y - new) @ change) > 0:
            momentum, y = 1.0, new.copy()
        else:
            faster = 0.5 * (1 + np.sqrt(1 + 4 * momentum * momentum))
            y, momentum = new + (momentum - 1) / faster * change, faster
        w = new
        if float(np.abs(change).max()) < TOLERANCE:
            break
    return w


def _inside(made: Problem) -> bool:
    return bool((made.current >= made.low).all() and (made.current <= made.high).all())


def _projected(made: Problem, impact: Impact, point: Floats, weight: float) -> Floats:
    """The prox of costs, impact, bounds and budget together: bisection on the budget's price."""

    def at(price: float) -> Floats:
        moved = impact.prox(point - price - made.current, made.buy, weight)
        return np.asarray(np.clip(made.current + moved, made.low, made.high))

    price = _root(lambda p: float(at(p).sum()) - 1.0)
    return at(price)


def _root(falling: Callable[[float], float]) -> float:
    low, high = -2.0, 2.0
    for _ in range(INNER):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
