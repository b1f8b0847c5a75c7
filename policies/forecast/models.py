"""Forecasts of the next variance: EWMA, HAR in logs (single and pooled ridge), and the GARCH recursion.

Realised variances are rows (T,) or tables (T, assets), oldest first; a forecast is for the period after the last row.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, pi

import numpy as np

from policies.risk.covariance import BadEstimate, Floats

DAY, WEEK, MONTH = 1, 7, 30
RIDGE = 1.0


def ewma(realised: Floats, decay: float = 0.94) -> Floats:
    """Forecasts for t = 1..T from h_1 = y_0, h_t = decay h_{t-1} + (1-decay) y_{t-1}; the last is the one for after the sample."""
    rows = _positive(realised, 1)
    found = np.empty(len(rows))
    found[0] = level = float(rows[0])
    for t in range(1, len(rows)):
        found[t] = level = decay * level + (1 - decay) * float(rows[t])
    return found


def _positive(realised: Floats, least: int) -> Floats:
    rows = np.asarray(realised, dtype=np.float64)
    if len(rows) < least:
        raise BadEstimate(f"{len(rows)} realised variances; {least} are needed")
    if not (np.isfinite(rows).all() and (rows > 0).all()):
        raise BadEstimate("every realised variance must be finite and above zero; leave out days without trading")
    return rows


def har_features(realised: Floats) -> Floats:
    """(T-29, 3): log of the last, of the mean of the last 7 and of the last 30, as known after rows 29..T-1 (Corsi 2009)."""
    rows = np.asarray(realised, dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(rows)])
    means = [(sums[MONTH:] - sums[MONTH - span : -span]) / span for span in (WEEK, MONTH)]
    return np.column_stack([np.log(rows[MONTH - 1 :]), *(np.log(mean) for mean in means)])


@dataclass(frozen=True, slots=True, eq=False)
class Har:
    """Coefficients on 1, day, week, month, and the mean square of residuals: forecast exp(x b + variance/2)."""

    coefficients: Floats
    residual_variance: float

    def forecast(self, features: Floats) -> Floats:
        """One forecast a row of features."""
        return np.asarray(np.exp(self.coefficients[0] + features @ self.coefficients[1:] + self.residual_variance / 2))


def fit_har(realised: Floats) -> Har:
    """Least squares of log RV on its HAR features. Needs 40 rows."""
    rows = _positive(realised, MONTH + 10)
    features, wanted = har_features(rows)[:-1], np.log(rows[MONTH:])
    design = np.column_stack([np.ones(len(features)), features])
    coefficients = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return Har(coefficients, float(np.mean((wanted - design @ coefficients) ** 2)))


def fit_pooled(realised: Floats) -> list[Har]:
    """One ridge regression for all assets (T, assets) on standardised features, each asset with its own residual variance.

    The default forecast: what assets share is learnt from all of them. Ridge penalty 1, the constant included.
    """
    table = _positive(realised, MONTH + 10)
    each = [(har_features(column)[:-1], np.log(column[MONTH:])) for column in table.T]
    features, wanted = np.concatenate([f for f, _ in each]), np.concatenate([w for _, w in each])
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    scaled = np.linalg.solve(design.T @ design + RIDGE * np.eye(4), design.T @ wanted)
    slopes = scaled[1:] / spread
    coefficients = np.concatenate([[scaled[0] - float(slopes @ mean)], slopes])
    residuals = [w - coefficients[0] - f @ coefficients[1:] for f, w in each]
    return [Har(coefficients, float(np.var(residual))) for residual in residuals]


@dataclass(frozen=True, slots=True)
class Garch:
    """h_t = omega + (alpha + gamma 1[e<0]) e_{t-1}^2 + beta h_{t-1}, h_1 = mean(e^2) (Bollerslev 1986; Glosten and others 1993)."""

    mean: float
    omega: float
    alpha: float
    beta: float
    gamma: float = 0.0

    @property
    def persistence(self) -> float:
        return self.alpha + self.beta + self.gamma / 2

    def filtered(self, returns: Floats) -> tuple[float, float]:
        """(normal log-likelihood of all observations, variance after the last)."""
        shocks = np.asarray(returns, dtype=np.float64) - self.mean
        level = float(np.mean(shocks**2))
        likelihood = 0.0
        for shock in shocks.tolist():
            likelihood -= 0.5 * (log(2 * pi) + log(level) + shock * shock / level)
            level = self.omega + (self.alpha + self.gamma * (shock < 0)) * shock * shock + self.beta * level
        return likelihood, level

    def ahead(self, next_variance: float, steps: int) -> float:
        """Forecast for `steps` periods ahead (1: the next): v + p^(k-1) (h - v), v = omega/(1-p)."""
        long_run = self.omega / (1 - self.persistence)
        return long_run + self.persistence ** (steps - 1) * (next_variance - long_run)


def daily_variances(times: Floats, prices: Floats, least: int = 5) -> tuple[Floats, Floats]:
    """(days, realised variance) from intraday prices: sums of squared log returns of each UTC day that has `least` returns or more.

    A return across a gap longer than two usual steps belongs to no day: it is left out. `times`: unix seconds.
    """
    steps = np.diff(times)
    squares, usable = np.diff(np.log(prices)) ** 2, steps <= 2 * np.median(steps)
    days = times[1:] // 86_400
    found = []
    for day in np.unique(days):
        chosen = squares[(days == day) & usable]
        if len(chosen) >= least and float(chosen.sum()) > 0:
            found.append((float(day), float(chosen.sum())))
    if not found:
        raise BadEstimate(f"no day has {least} returns")
    table = np.array(found)
    return table[:, 0], table[:, 1]


def annual(variance: float, per_year: float = 365.25) -> float:
    """Yearly volatility of a daily variance."""
    return exp(0.5 * log(variance * per_year)) if variance > 0 else 0.0
