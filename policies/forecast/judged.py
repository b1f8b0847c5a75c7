"""Walk-forward judgement: every model forecasts strictly out of sample, and one that stops beating its baseline is switched off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from policies.forecast.loss import diebold_mariano, qlike
from policies.forecast.models import MONTH, Har, ewma, fit_har, fit_pooled, har_features
from policies.risk.covariance import BadEstimate, Floats

REFIT = 30
WINDOW = 250
BASELINE = "ewma"

Walk = Callable[[Floats, int], Floats]
"""(T, assets) realised variances and the first forecast row -> (T-start, assets) forecasts, each from earlier rows only."""


def walk_ewma(realised: Floats, start: int) -> Floats:
    return np.column_stack([ewma(column)[start - 1 : -1] for column in realised.T])


def walk_har(realised: Floats, start: int) -> Floats:
    return np.column_stack([_walked(column[:, None], start, lambda seen: [fit_har(seen[:, 0])])[:, 0] for column in realised.T])


def walk_pooled(realised: Floats, start: int) -> Floats:
    return _walked(realised, start, fit_pooled)


def _walked(realised: Floats, start: int, fit: Callable[[Floats], list[Har]]) -> Floats:
    """Refitted every REFIT rows on everything before."""
    found = np.empty((len(realised) - start, realised.shape[1]))
    features = [har_features(column) for column in realised.T]
    for first in range(start, len(realised), REFIT):
        last = min(first + REFIT, len(realised))
        for asset, model in enumerate(fit(realised[:first])):
            rows = features[asset][first - MONTH : last - MONTH]  # what was known after row t-1
            found[first - start : last - start, asset] = model.forecast(rows)
    return found


MODELS: Mapping[str, Walk] = {"ewma": walk_ewma, "har": walk_har, "pooled": walk_pooled}


@dataclass(frozen=True, slots=True)
class Judgement:
    """Mean QLIKE over rows and assets; Diebold-Mariano against the baseline (negative: better); `on`: whether it is used.

    `recent`: the same statistic over the last WINDOW rows. A model is on while it beats the baseline there on average; `told` says why.
    """

    model: str
    qlike: float
    statistic: float
    p_value: float
    recent: float
    on: bool
    told: str


def judge(realised: Floats, start: int, models: Mapping[str, Walk] = MODELS) -> list[Judgement]:
    """Every model on the same rows. `realised`: (T, assets); `start`: the first row that is forecast, at least 40."""
    if not MONTH + 10 <= start < len(realised):
        raise BadEstimate(f"forecasting starts at row {start} of {len(realised)}; allowed: {MONTH + 10} to {len(realised) - 1}")
    losses = {name: qlike(walk(realised, start), realised[start:]).mean(axis=1) for name, walk in models.items()}
    base = losses.get(BASELINE)
    if base is None:
        raise BadEstimate(f"the baseline {BASELINE} must be among the models")
    return [_judged(name, loss, base) for name, loss in losses.items()]


def _judged(name: str, loss: Floats, base: Floats) -> Judgement:
    if name == BASELINE:
        return Judgement(name, float(loss.mean()), 0.0, 1.0, 0.0, True, "the baseline")
    statistic, p_value = diebold_mariano(loss, base)
    recent, _ = diebold_mariano(loss[-WINDOW:], base[-WINDOW:])
    on = recent < 0
    told = f"{'beats' if on else 'no longer beats'} {BASELINE} over the last {min(WINDOW, len(loss))} days"
    return Judgement(name, float(loss.mean()), statistic, p_value, recent, on, told if on else f"switched off: {told}")
