"""The verifier: checks a stored certificate against its stored problem without trusting, or importing, any optimiser.

It knows the problem's formula and nothing else. O(n^2): one product with the covariance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

TOLERANCE = 1e-9
"""Allowed duality gap, relative to the larger of the objective's parts, and allowed error of sums and bounds."""


def complaints(problem: Mapping[str, Any], certificate: Mapping[str, Any], tolerance: float = TOLERANCE) -> tuple[str, ...]:
    """Everything that is wrong with the certificate; nothing when it proves its weights optimal within `tolerance`."""
    p = {name: np.asarray(value, dtype=np.float64) for name, value in problem.items()}
    w = np.asarray(certificate["weights"], dtype=np.float64)
    if w.shape != p["target"].shape or not np.isfinite(w).all() or not np.isfinite(certificate["multiplier"]):
        return ("the certificate does not belong to this problem: wrong length or not finite",)
    found: list[str] = []
    if abs(float(w.sum()) - 1.0) > tolerance:
        found.append(f"weights sum to {float(w.sum()):.12g}, not to one")
    outside = np.flatnonzero((w < p["low"] - tolerance) | (w > p["high"] + tolerance))
    found.extend(f"name {i}: weight {w[i]:.9g} lies outside {p['low'][i]:.9g} to {p['high'][i]:.9g}" for i in outside)
    if certificate["held"] and not np.array_equal(w, p["current"]):
        found.append("it says held, but the weights are not the current ones")
    objective, proven = _objective_and_gap(p, w, float(certificate["multiplier"]))
    rounding = 1e-12 * float(p["aversion"]) * float(np.abs(p["covariance"]).max())
    allowed = tolerance * max(abs(objective), float(np.max(p["buy"] + p["sell"]))) + rounding
    if abs(objective - float(certificate["objective"])) > allowed:
        found.append(f"the objective is {objective:.12g}, not {float(certificate['objective']):.12g}")
    if proven > allowed:
        found.append(f"the multiplier proves a gap of {proven:.3g} only, allowed is {allowed:.3g}")
    return tuple(found)


def _objective_and_gap(p: Mapping[str, Any], w: Any, price: float) -> tuple[float, float]:
    slope = float(p["aversion"]) * (p["covariance"] @ (w - p["target"]))
    risk = 0.5 * float(slope @ (w - p["target"])) - float(p["mean"] @ w)
    objective = risk + float(_trading(p, w).sum())
    marginal = slope - p["mean"] - price
    points = [p["low"], p["high"], np.clip(p["current"], p["low"], p["high"])]
    best = np.min([marginal * at + _trading(p, at) for at in points], axis=0)
    return objective, float(np.sum(marginal * w + _trading(p, w) - best)) + price * (float(w.sum()) - 1.0)


def _trading(p: Mapping[str, Any], at: Any) -> Any:
    moved = at - p["current"]
    return np.where(moved > 0, p["buy"] * moved, -p["sell"] * moved)
