"""How good a variance forecast is: QLIKE, and the Diebold-Mariano test of one against another."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np

from policies.risk.covariance import BadEstimate, Floats


def qlike(forecast: Floats, realised: Floats) -> Floats:
    """y/F - log(y/F) - 1, observation by observation (Patton 2011): 0 when exact, robust to noise in the realised variance."""
    if forecast.shape != realised.shape:
        raise BadEstimate(f"{forecast.shape} forecasts for {realised.shape} realised variances")
    for what, row in (("forecast", forecast), ("realised variance", realised)):
        if not (np.isfinite(row).all() and (row > 0).all()):
            raise BadEstimate(f"every {what} must be finite and above zero")
    ratio = realised / forecast
    return np.asarray(ratio - np.log(ratio) - 1.0)


def diebold_mariano(one: Floats, other: Floats, lags: int = 0) -> tuple[float, float]:
    """Statistic and two-sided p-value of equal expected loss; negative when `one` is better. Newey-West over `lags`.

    Losses without any difference in spread give (0, 1).
    """
    apart = np.asarray(one) - np.asarray(other)
    if apart.ndim != 1 or len(apart) < 2 or not np.isfinite(apart).all():
        raise BadEstimate("Diebold-Mariano needs two rows of two or more finite losses")
    mean, centred = float(apart.mean()), apart - apart.mean()
    variance = float(centred @ centred) / len(apart)
    for lag in range(1, min(lags, len(apart) - 1) + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag]) / len(apart)
    if variance <= 0:
        return 0.0, 1.0
    statistic = mean / sqrt(variance / len(apart))
    return statistic, erfc(abs(statistic) / sqrt(2))
