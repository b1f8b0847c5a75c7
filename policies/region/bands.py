"""The band laws: from costs, volatility and aversion to risk, how wide a band is best, and how far back to trade.

One deviation dx = s dW with running cost a x^2/2 per time. A trade costs k per unit and F each time. Nothing happens within Delta;
at Delta the trade goes back to delta <= Delta. For a weight w of relative volatility v against the rest: s = w v, and
a = g (v/(1-w))^2; for two assets, one of them without risk, that is s = w(1-w) sigma, a = g sigma^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, pi, sqrt

import numpy as np

from policies.risk.covariance import BadEstimate, Floats
from policies.risk.tracking import relative_volatility

BISECTIONS = 200


@dataclass(frozen=True, slots=True)
class Averages:
    """Long-run averages per time of one band: exact for any 0 <= delta <= Delta (renewal argument)."""

    mean_square: float
    turnover: float
    trades: float
    cost: float

    @property
    def rms(self) -> float:
        return sqrt(self.mean_square)


@dataclass(frozen=True, slots=True)
class Band:
    """`inner` (delta): where a trade stops; `outer` (Delta): where it starts; `cost` per time."""

    inner: float
    outer: float
    cost: float


@dataclass(frozen=True, slots=True)
class Setting:
    """a, s, k, F of the law."""

    running: float
    speed: float
    proportional: float
    fixed: float

    def __post_init__(self) -> None:
        parts = {"running cost": self.running, "volatility": self.speed, "cost": self.proportional, "fixed cost": self.fixed}
        for what, value in parts.items():
            if not isfinite(value) or value < 0:
                raise BadEstimate(f"the {what} of a band is {value}; it must be finite and not below zero")
        if not self.running > 0:
            raise BadEstimate("a band without running cost is never left: the aversion to risk must be above zero")


def averages(law: Setting, inner: float, outer: float) -> Averages:
    """What a band does per time. With `inner` equal to `outer` the deviation is reflected: no single trades, so no fixed cost."""
    if not 0 <= inner <= outer or not outer > 0:
        raise BadEstimate(f"a band needs 0 <= inner <= outer and outer > 0, not {inner} and {outer}")
    variance = law.speed**2
    mean_square, turnover = (outer**2 + inner**2) / 6, variance / (outer + inner)
    trades = variance / (outer**2 - inner**2) if outer > inner else float("inf")
    fixed = law.fixed * trades if law.fixed else 0.0
    return Averages(mean_square, turnover, trades, law.running * mean_square / 2 + law.proportional * turnover + fixed)


def optimal(law: Setting) -> Band:
    """The best (delta, Delta). With p = Delta+delta, m = Delta-delta: m^3 = 12 F s^2/(a p) and a p^3/12 = s^2 (k + F/m), one root in p."""
    variance = law.speed**2
    if variance == 0 or (law.proportional == 0 and law.fixed == 0):
        return Band(0.0, 0.0, 0.0)
    if law.fixed == 0:
        edge = reflect(law)
        return Band(edge, edge, averages(law, edge, edge).cost)

    def apart(total: float) -> float:
        return float(np.cbrt(12 * law.fixed * variance / (law.running * total)))

    def excess(total: float) -> float:
        return law.running * total**3 / 12 - variance * (law.proportional + law.fixed / apart(total))

    total = _root(excess, float(np.cbrt(12 * law.proportional * variance / law.running)))
    inner, outer = max(0.0, (total - apart(total)) / 2), (total + apart(total)) / 2
    if law.proportional == 0:
        inner = 0.0
    return Band(inner, outer, averages(law, inner, outer).cost)


def _root(rising: Callable[[float], float], low: float) -> float:
    """Root above `low` of a function that is not above zero there and rises afterwards."""
    low = max(low, 1e-12)
    high = low
    for _ in range(BISECTIONS):
        if rising(high) > 0:
            break
        high *= 2
    low = 0.0 if rising(low) > 0 else low
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


def reflect(law: Setting) -> float:
    """Proportional cost only, traded to the edge: Delta = (3 k s^2 / 2a)^(1/3)."""
    return float(np.cbrt(3 * law.proportional * law.speed**2 / (2 * law.running)))


def centre(law: Setting) -> float:
    """Proportional cost only, traded to the target: Delta = (6 k s^2 / a)^(1/3); costs a Delta^2/4."""
    return float(np.cbrt(6 * law.proportional * law.speed**2 / law.running))


def calendar(law: Setting) -> float:
    """Proportional cost only, traded to the target every tau = (2 k sqrt(2/pi) / (a s))^(2/3); costs 3/4 a s^2 tau."""
    return float(np.cbrt((2 * law.proportional * sqrt(2 / pi) / (law.running * law.speed)) ** 2))


def setting(asset: int, weights: Floats, covariance: Floats, aversion: float, costs: tuple[float, float]) -> Setting:
    """The law's inputs for one asset of a portfolio, funded by the others in proportion. `costs`: (k, F); F a share of NAV."""
    weight = float(weights[asset])
    relative = relative_volatility(asset, weights, covariance)
    if not 0 < weight < 1:
        raise BadEstimate(f"asset {asset} has a target of {weight}: a band needs a weight above 0 and below 1")
    return Setting(aversion * (relative / (1 - weight)) ** 2, weight * relative, *costs)


def with_depth(law: Setting, depth: float) -> Band:
    """The best band when a trade of x also costs x^2/(depth+x): its average joins k, until both agree. `depth`: share of NAV."""
    if not depth > 0:
        raise BadEstimate(f"the depth is {depth}; it must be above zero")
    found = optimal(law)
    for _ in range(100):
        size = found.outer - found.inner
        again = optimal(Setting(law.running, law.speed, law.proportional + size / (depth + size), law.fixed))
        if abs(again.outer - found.outer) < 1e-12:
            return again
        found = again
    return found


GOALS = ("rms", "cost", "trades")


def planned(speed: float, costs: tuple[float, float], goal: str, value: float) -> tuple[Setting, Band, Averages]:
    """The planning formula turned round: the band whose `rms`, `cost` or `trades` per time is `value`, with all the rest shown.

    Among all bands of that kind it is the cheapest one; `running` of the setting is the aversion that it implies. `trades` needs a
    fixed cost. The cost here is what trading costs (k and F), without the running cost. Raises BadEstimate when it cannot be had.
    """
    if goal not in GOALS or not value > 0:
        raise BadEstimate(f"a goal is one of {', '.join(GOALS)}, with a value above zero; found {goal} {value}")
    if not speed > 0 or max(costs) <= 0 or (goal == "trades" and not costs[1] > 0):
        raise BadEstimate("a goal needs volatility and a cost of trading; a number of trades needs a fixed cost")

    def at(running: float) -> tuple[Setting, Band, Averages]:
        law = Setting(running, speed, *costs)
        band = optimal(law)
        return law, band, averages(law, band.inner, band.outer)

    def reached(running: float) -> float:
        law, _, now = at(running)
        return {"rms": -now.rms, "cost": now.cost - law.running * now.mean_square / 2, "trades": now.trades}[goal]

    wanted = -value if goal == "rms" else value
    low, high = 1e-12, 1e12
    for _ in range(BISECTIONS):
        middle = sqrt(low * high)
        low, high = (middle, high) if reached(middle) < wanted else (low, middle)
    found = at(sqrt(low * high))
    if abs(reached(found[0].running) - wanted) > 1e-6 * abs(wanted):
        raise BadEstimate(f"no band has {goal} {value} here")
    return found
