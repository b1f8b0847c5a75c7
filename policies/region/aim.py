"""Trading towards an aim under quadratic costs: how fast, and where to (Gârleanu, Pedersen 2013).

Costs are lambda times the covariance, the future is discounted by 1-rho a period. Reference law: the bands in use need no forecasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from policies.risk.covariance import BadEstimate, Floats


@dataclass(frozen=True, slots=True)
class Rate:
    """`a` of the value function; each period the fraction `rate` of the way to the aim is traded; `aim_weight`: z of the recursion."""

    a: float
    rate: float
    aim_weight: float


def trading_rate(aversion: float, cost: float, impatience: float) -> Rate:
    """x_t = (1 - a/lambda) x_{t-1} + (a/lambda) aim_t. Raises BadEstimate unless aversion, cost > 0 and 0 <= impatience < 1."""
    if not (isfinite(aversion) and isfinite(cost) and aversion > 0 and cost > 0 and 0 <= impatience < 1):
        raise BadEstimate("the trading rate needs aversion and cost above zero and an impatience in [0, 1)")
    kept = 1 - impatience
    c = aversion * kept + cost * impatience
    a = (sqrt(c * c + 4 * aversion * cost * kept * kept) - c) / (2 * kept)
    return Rate(a, a / cost, aversion / (aversion + a))


def aim(covariance: Floats, loadings: Floats, decay: Floats, signals: Floats, rate: tuple[Rate, float]) -> Floats:
    """(gamma S)^-1 B (I + Phi a/gamma)^-1 f: signals that decay fast count less. `rate`: the trading rate and its aversion gamma."""
    found, aversion = rate
    slowed = np.linalg.solve(np.eye(len(decay)) + decay * (found.a / aversion), signals)
    return np.asarray(np.linalg.solve(aversion * covariance, loadings @ slowed))
