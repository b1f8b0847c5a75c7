"""Fixed costs: every leg costs something however small it is, so few names are traded, and only those that are worth it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from policies.region.certificate import certify
from policies.region.problem import Problem
from policies.region.solve import Solution, solve
from policies.risk.covariance import BadEstimate, Floats

ROUNDS = 8
SOFTENING = 1e-4

Mask = npt.NDArray[np.bool_]


def total(made: Problem, weights: Floats, per_leg: Floats) -> float:
    """Objective with the fixed cost of every name that is traded."""
    return made.objective(weights) + float(per_leg[weights != made.current].sum())


def restricted(made: Problem, tradable: Mask) -> Solution:
    """The optimum when only some names may be traded; the certificate is that of the restricted problem."""
    low, high = np.where(tradable, made.low, made.current), np.where(tradable, made.high, made.current)
    return solve(replace(made, low=low, high=high))


def solve_fixed(made: Problem, per_leg: Floats | float) -> tuple[Solution, float]:
    """A good trade under a fixed cost per traded name, and its total; never worse than holding or than ignoring the fixed cost.

    The problem is combinatorial: reweighted proportional costs (Lobo, Fazel, Boyd 2007) propose names, then names are left out
    one by one while that helps. Raises BadEstimate for a negative cost. `per_leg`: share of NAV, one or one a name.
    """
    fixed = np.broadcast_to(np.asarray(per_leg, dtype=np.float64), made.current.shape)
    if not (np.isfinite(fixed).all() and (fixed >= 0).all()):
        raise BadEstimate("the fixed cost of a leg must be finite and not below zero")
    plain = solve(made)
    proposals = [plain, _reweighted(made, plain, fixed)]
    if bool((made.current >= made.low).all() and (made.current <= made.high).all()):
        proposals.append(Solution(made.current, certify(made, made.current), 0, 0.0, 0))
    best = min(proposals, key=lambda found: total(made, found.weights, fixed))
    return _fewer(made, best, fixed)


def _reweighted(made: Problem, plain: Solution, fixed: Floats) -> Solution:
    found = plain
    for _ in range(ROUNDS):
        extra = fixed / (np.abs(found.weights - made.current) + SOFTENING)
        found = solve(replace(made, buy=made.buy + extra, sell=made.sell + extra))
    chosen = found.weights != made.current
    return restricted(made, chosen) if chosen.any() else found


def _fewer(made: Problem, start: Solution, fixed: Floats) -> tuple[Solution, float]:
    """Leave out the name whose absence helps most, again and again."""
    best, value = start, total(made, start.weights, fixed)
    for _ in range(len(made.current)):
        traded = np.flatnonzero(best.weights != made.current)
        tries = [_without(made, traded, int(name)) for name in traded]
        found = min((t for t in tries if t is not None), key=lambda t: total(made, t.weights, fixed), default=None)
        if found is None or total(made, found.weights, fixed) >= value:
            return best, value
        best, value = found, total(made, found.weights, fixed)
    return best, value


def _without(made: Problem, traded: npt.NDArray[np.intp], name: int) -> Solution | None:
    mask = np.zeros(len(made.current), dtype=np.bool_)
    mask[traded] = True
    mask[name] = False
    try:
        return restricted(made, mask)
    except BadEstimate:  # the others cannot make up for it within the bounds
        return None
