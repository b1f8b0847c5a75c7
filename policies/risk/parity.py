"""Risk budgeting: weights whose contributions to the volatility are as the owner wants, equal unless told otherwise."""

from __future__ import annotations

import numpy as np

from policies.risk.covariance import BadEstimate, Floats, checked

ROUNDS = 10_000
TOLERANCE = 1e-13


def risk_budgets(covariance: Floats, budgets: Floats | None = None) -> Floats:
    """Long-only weights, summing to one, with w_i (S w)_i / w'Sw = budget_i (default 1/n).

    Cyclic updates of Griveau-Billion, Richard, Roncalli (2013); the answer is unique. Raises BadEstimate for an asset without
    volatility (it would take all the weight) and for budgets that are not above zero or do not sum to one.
    """
    matrix = checked(covariance)
    size = len(matrix)
    wanted = np.full(size, 1.0 / size) if budgets is None else np.asarray(budgets, dtype=np.float64)
    if wanted.shape != (size,) or not (wanted > 0).all() or abs(float(wanted.sum()) - 1.0) > 1e-9:
        raise BadEstimate("risk budgets must be one an asset, above zero, and sum to one")
    variance = matrix.diagonal()
    if not (variance > 0).all():
        raise BadEstimate(
            f"asset {int(variance.argmin())} has no volatility: equal risk would give it all the weight; give it a fixed weight"
        )
    x = np.sqrt(wanted / variance)
    for _ in range(ROUNDS):
        largest = 0.0
        for i in range(size):
            others = float(matrix[i] @ x) - variance[i] * x[i]
            new = (-others + np.sqrt(others**2 + 4 * variance[i] * wanted[i])) / (2 * variance[i])
            largest = max(largest, abs(new - x[i]) / new)
            x[i] = new
        if largest < TOLERANCE:
            return np.asarray(x / x.sum())
    raise BadEstimate("risk budgeting did not settle: the covariance is too close to singular")
