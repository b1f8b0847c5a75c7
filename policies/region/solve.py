"""The exact solver of one rebalance: active sets, so that names either trade or do not, and no dust is left to snap away.

A primal active set: the names that gain most by moving are freed a few at a time, every step lowers the objective, so it ends.
The answer carries its certificate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.region.certificate import Certificate, certify, interval, slopes
from policies.region.problem import Problem
from policies.risk.covariance import BadEstimate, Floats

Names = npt.NDArray[np.intp]
REFINEMENTS = 8
RELATIVE = 1e-11
"""Violations below this, relative to the spread of marginal prices, count as none."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Optimal weights with their proof. `traded`: names whose weight changes; `steps`: linear systems solved (0: held)."""

    weights: Floats
    certificate: Certificate
    traded: int
    turnover: float
    steps: int


def solve(made: Problem) -> Solution:
    """The optimum. The certificate is asked first; most turns end there.

    Raises BadEstimate when the covariance has a negative direction, for which no optimum need exist.
    """
    inside = bool((made.current >= made.low).all() and (made.current <= made.high).all())
    start = made.current if inside else nearest_feasible(made.current, made.low, made.high)
    gradient = made.gradient(start)
    if inside and interval(made, start, gradient).optimal:
        return _solution(made, made.current, None, 0)
    walk = _Walk(made, start, gradient)
    weights, multiplier = walk.descend()
    return _solution(made, weights, multiplier, walk.steps)


def _solution(made: Problem, weights: Floats, multiplier: float | None, steps: int) -> Solution:
    moved = np.abs(weights - made.current)
    return Solution(weights, certify(made, weights, multiplier), int(np.count_nonzero(moved)), float(moved.sum()), steps)


def nearest_feasible(weights: Floats, low: Floats, high: Floats) -> Floats:
    """The nearest weights (least squares) that sum to one and keep the bounds: clip(w - t) with t found on its breakpoints."""
    edges = np.sort(np.concatenate([weights - low, weights - high]))
    sums = np.clip(weights[:, None] - edges[None, :], low[:, None], high[:, None]).sum(axis=0)
    at = int(np.clip(np.searchsorted(-sums, -1.0), 1, len(edges) - 1))
    rise = sums[at - 1] - sums[at]
    shift = edges[at - 1] + (edges[at] - edges[at - 1]) * ((sums[at - 1] - 1.0) / rise if rise > 0 else 0.0)
    return np.asarray(np.clip(weights - shift, low, high))


class _Walk:
    """Where the search stands. A free name moves on one linear piece [`left`, `right`] with one `slope`; the others rest on an edge."""

    def __init__(self, made: Problem, start: Floats, gradient: Floats) -> None:
        self.made = made
        self.w = start.copy()
        self.g = gradient
        self.steps = 0
        self.free = np.zeros(len(start), dtype=np.bool_)
        self.left, self.right = self.w.copy(), self.w.copy()
        self.slope = np.zeros(len(start))
        self.kink = np.clip(made.current, made.low, made.high)
        self.tolerance = RELATIVE * float(np.ptp(self.g) + np.max(made.buy + made.sell) + 1e-300)
        self.free_between()
        self.most = max(4, len(start) // 40)
        self.loosen(*self.violations(self.middle()), self.most)

    def free_between(self) -> None:
        """A start that had to be moved rests on no edge: such names are free from the beginning, on the piece they lie in."""
        w, low, high, kink = self.w, self.made.low, self.made.high, self.kink
        between = (w != low) & (w != high) & (w != kink)
        above = w > kink
        self.left[between], self.right[between] = np.where(above, kink, low)[between], np.where(above, high, kink)[between]
        self.slope[between] = slopes(self.made, w)[0][between]
        self.free |= between

    def middle(self) -> float:
        lower, higher = slopes(self.made, self.w)
        sales = np.where(self.w > self.made.low, self.g + lower, -np.inf)
        purchases = np.where(self.w < self.made.high, self.g + higher, np.inf)
        return float(sales.max() + purchases.min()) / 2

    def violations(self, price: float) -> tuple[Floats, Floats]:
        """By how much each resting name would gain a unit by rising, and by falling."""
        lower, higher = slopes(self.made, self.w)
        rise = np.where((self.w < self.made.high) & ~self.free, price - self.g - higher, -np.inf)
        fall = np.where((self.w > self.made.low) & ~self.free, self.g + lower - price, -np.inf)
        return rise, fall

    def loosen(self, rise: Floats, fall: Floats, most: int) -> bool:
        """Free the names that gain most by moving, at most so many on either side. False when none gains."""
        ups, downs = _best(rise, most, self.tolerance), _best(fall, most, self.tolerance)
        if not len(ups) and not len(downs):
            return False
        w, kink, low, high = self.w, self.kink, self.made.low, self.made.high
        lower, higher = slopes(self.made, w)
        self.left[ups], self.right[ups], self.slope[ups] = w[ups], np.where(w < kink, kink, high)[ups], higher[ups]
        self.left[downs], self.right[downs], self.slope[downs] = np.where(w > kink, kink, low)[downs], w[downs], lower[downs]
        self.free[ups] = self.free[downs] = True
        return True

    def best_on_pieces(self, names: Names) -> tuple[Floats, float]:
        """Step of the free names to the optimum of their pieces (edges ignored), and the price of the budget there."""
        self.steps += 1
        rows = self.made.covariance[np.ix_(names, names)] * self.made.aversion
        slope = self.g[names] + self.slope[names]
        step = np.zeros(len(names))
        step[0] = 1.0 - float(self.w.sum())  # the first name pays for what the others do, so the budget is kept to the last digit
        if len(names) > 1:
            apart = rows - rows[0]
            bent = slope + step[0] * rows[0]
            step[1:] = _solved(apart[1:, 1:] - apart[1:, :1], -(bent[1:] - bent[0]))
            step[0] -= float(step[1:].sum())
        return step, float(np.mean(slope + rows @ step))

    def descend(self) -> tuple[Floats, float]:
        """To the optimum of the free names' pieces or the first edge on the way, freeing what gains, until nothing does."""
        refined = 0
        for _ in range(100 + 50 * len(self.w)):
            names = np.flatnonzero(self.free)
            step, price = self.best_on_pieces(names)
            length = self.walk(names, step)
            if length < 1.0 and self.free.any():
                self.most = self.most if length > 0 else 1  # names freed together may block each other, the best one alone cannot
                continue
            if self.unsettled() and (refined := refined + 1) <= REFINEMENTS:
                continue
            refined = 0
            if not self.loosen(*self.violations(price if self.free.any() else self.middle()), self.most):
                return self.w, price
        raise BadEstimate("the rebalance did not settle: the covariance is too close to singular, or has a direction of negative variance")

    def unsettled(self) -> bool:
        """A nearly singular system was solved with a ridge: the free names' marginal prices are not yet one price."""
        prices = (self.g + self.slope)[self.free]
        return len(prices) > 1 and float(np.ptp(prices)) > self.tolerance

    def walk(self, names: Names, step: Floats) -> float:
        """Go as far as the first edge; names that reach theirs come to rest exactly on it. Returns the part of the step that was gone."""
        here, limits = self.w[names], np.where(step < 0, self.left[names], self.right[names])
        size = np.abs(step)
        reach = np.divide(np.abs(limits - here), size, out=np.full(len(names), np.inf), where=size > 0)
        length = min(1.0, float(reach.min()))
        stopped = reach <= length
        new = np.where(stopped, limits, here + length * step)
        self.g += self.made.aversion * ((new - here) @ self.made.covariance[names])
        self.w[names] = new
        self.free[names[stopped]] = False
        return length


def _best(gains: Floats, most: int, least: float) -> Names:
    found = np.flatnonzero(gains > least)
    return found if len(found) <= most else found[np.argpartition(gains[found], len(found) - most)[-most:]]


def _solved(rows: Floats, right: Floats) -> Floats:
    """Solution of a symmetric system; a singular one gets a ridge of 1e-10 of its mean diagonal.

    Raises BadEstimate where the solution would climb: there the matrix has a direction of negative variance.
    """
    ridge = 0.0
    scale = float(np.abs(rows.diagonal()).mean())
    try:
        found = np.linalg.solve(rows, right)
    except np.linalg.LinAlgError:
        found = np.full(len(right), np.inf)
    if not np.isfinite(found).all() or float(np.abs(found).max()) * scale > 1e9 * float(np.abs(right).max(initial=0.0)) + 1e-300:
        ridge = max(1e-10 * scale, 1e-18)
        found = np.linalg.solve(rows + ridge * np.eye(len(rows)), right)
    if float(found @ right) < 0:
        raise BadEstimate("the covariance has a direction of negative variance; estimate it with shrinkage")
    return np.asarray(found)
