"""Fixed costs: every leg costs something however small it is, so few names are traded, and only those that are worth it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt

from policies.region.certificate import certify
from policies.region.problem import Problem
from policies.region.solve import Solution, solve
from policies.risk.covariance import BadEstimate, Floats

ROUNDS = 8
SOFTENING = 1e-4
MOST_ENTERING = 12

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

    The problem is combinatorial: reweighted proportional costs (Lobo, Fazel, Boyd 2007) propose names, then names are left
    out, taken in and exchanged while that helps. Raises BadEstimate for a negative cost. `per_leg`: share of NAV, one or one a name.
    """
    fixed = np.broadcast_to(np.asarray(per_leg, dtype=np.float64), made.current.shape)
    if not (np.isfinite(fixed).all() and (fixed >= 0).all()):
        raise BadEstimate("the fixed cost of a leg must be finite and not below zero")
    plain = solve(made)
    proposals = [plain, _reweighted(made, plain, fixed)]
    if bool((made.current >= made.low).all() and (made.current <= made.high).all()):
        proposals.append(Solution(made.current, certify(made, made.current), 0, 0.0, 0))
    return min((_searched(made, found, fixed) for found in proposals), key=lambda pair: pair[1])


def _reweighted(made: Problem, plain: Solution, fixed: Floats) -> Solution:
    found = plain
    for _ in range(ROUNDS):
        extra = fixed / (np.abs(found.weights - made.current) + SOFTENING)
        found = solve(replace(made, buy=made.buy + extra, sell=made.sell + extra))
    chosen = found.weights != made.current
    return restricted(made, chosen) if chosen.any() else found


def _searched(made: Problem, start: Solution, fixed: Floats) -> tuple[Solution, float]:
    """Leave a name out, take one in, or exchange two, as long as the best of these helps."""
    best, value = start, total(made, start.weights, fixed)
    for _ in range(len(made.current)):
        found = min(_neighbours(made, best.weights != made.current), key=lambda near: total(made, near.weights, fixed), default=None)
        if found is None or total(made, found.weights, fixed) >= value:
            return best, value
        best, value = found, total(made, found.weights, fixed)
    return best, value


def _neighbours(made: Problem, traded: Mask) -> Iterator[Solution]:
    """Solutions with one name less, one more, or one exchanged; only names at a dearer price than they are worth are taken in."""
    outs, ins = [None, *np.flatnonzero(traded).tolist()], [None, *_promising(made, traded)]
    for out, enter in product(outs, ins):
        mask = traded.copy()
        if out is not None:
            mask[out] = False
        if enter is not None:
            mask[enter] = True
        if (out, enter) != (None, None) and int(mask.sum()) > 1:
            try:
                yield restricted(made, mask)
            except BadEstimate:  # the others cannot make up for it within the bounds
                continue


def _promising(made: Problem, traded: Mask) -> list[int]:
    """Names not traded, those furthest from their target in risk first; at most MOST_ENTERING."""
    pull = np.where(traded, -np.inf, np.abs(made.gradient(made.current) - np.median(made.gradient(made.current))))
    order = np.argsort(-pull)[:MOST_ENTERING]
    return [int(name) for name in order if not traded[name]]
