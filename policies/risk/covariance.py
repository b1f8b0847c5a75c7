"""Covariances estimated from returns: sample, exponentially weighted, and shrunk; and the correlations in them.

Shapes: returns (T, n), covariance (n, n), in the time unit of the returns. What cannot be estimated is refused, never guessed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class BadEstimate(ValueError):
    """The numbers given cannot carry an estimate; the message says which and why."""


def simple_returns(prices: Floats) -> Floats:
    """(T, n) prices to (T-1, n) simple returns."""
    return prices[1:] / prices[:-1] - 1.0


def _usable(returns: Floats, least: int = 2) -> Floats:
    array = np.asarray(returns, dtype=np.float64)
    if array.ndim != 2:
        raise BadEstimate(f"returns must be a table (times, assets), not {array.ndim}-dimensional")
    if array.shape[0] < least or not array.shape[1]:
        raise BadEstimate(f"{array.shape[0]} returns of {array.shape[1]} assets; at least {least} returns of one asset are needed")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise BadEstimate(f"return {row} of asset {column} is {array[row, column]}; fill or drop the gap before estimating")
    return array


def checked(covariance: Floats) -> Floats:
    """The matrix, symmetrised. Raises BadEstimate unless it is square, finite, symmetric and has no negative variance."""
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise BadEstimate(f"a covariance must be square, not {matrix.shape}")
    if not np.isfinite(matrix.sum()) and not np.isfinite(matrix).all():
        raise BadEstimate("a covariance must be finite")
    if float(matrix.diagonal().min()) < 0:
        raise BadEstimate(f"asset {int(matrix.diagonal().argmin())} has a negative variance")
    if (matrix == matrix.T).all():
        return matrix
    scale = float(np.abs(matrix).max())
    if float(np.abs(matrix - matrix.T).max()) > 1e-9 * scale:
        raise BadEstimate("a covariance must be symmetric")
    return (matrix + matrix.T) / 2


def sample(returns: Floats) -> Floats:
    """Centred, divided by T-1."""
    array = _usable(returns)
    centred = array - array.mean(axis=0)
    return np.asarray(centred.T @ centred / (len(array) - 1))


def ewma(returns: Floats, halflife: float) -> Floats:
    """Not centred, newest return weighted most, weights halved every `halflife` returns and summing to one (RiskMetrics)."""
    if not halflife > 0:
        raise BadEstimate(f"the halflife is {halflife}; it must be above zero")
    array = _usable(returns, least=1)
    weights = 0.5 ** (np.arange(len(array))[::-1] / halflife)
    return np.asarray((array * (weights / weights.sum())[:, None]).T @ array)


def ledoit_wolf(returns: Floats) -> tuple[Floats, float]:
    """Shrunk towards the mean variance times identity, and the intensity (Ledoit, Wolf 2004). Centred, divided by T."""
    array = _usable(returns)
    (count, size), centred = array.shape, array - array.mean(axis=0)
    empirical = centred.T @ centred / count
    mean = float(np.trace(empirical)) / size
    squares = centred**2
    spread = float(np.sum(empirical**2))
    error = (float(np.sum(squares.T @ squares)) / count - spread) / (size * count)
    distance = (spread - size * mean**2) / size
    intensity = 0.0 if size == 1 or distance <= 0 else min(error, distance) / distance
    return _shrunk(empirical, mean, intensity), intensity


def oracle_approximating(returns: Floats) -> tuple[Floats, float]:
    """Shrunk towards the mean variance times identity, and the intensity (Chen, Wiesel, Eldar, Hero 2010)."""
    array = _usable(returns)
    (count, size), centred = array.shape, array - array.mean(axis=0)
    empirical = centred.T @ centred / count
    mean = float(np.trace(empirical)) / size
    spread = float(np.mean(empirical**2))
    below = (count + 1) * (spread - mean**2 / size)
    intensity = 1.0 if below <= 0 else min((spread + mean**2) / below, 1.0)
    return _shrunk(empirical, mean, intensity), intensity


def _shrunk(empirical: Floats, mean: float, intensity: float) -> Floats:
    return np.asarray((1 - intensity) * empirical + intensity * mean * np.eye(len(empirical)))


def correlation(covariance: Floats) -> Floats:
    """Ones on the diagonal; an asset without volatility is correlated with nothing."""
    matrix = checked(covariance)
    volatility = np.sqrt(matrix.diagonal())
    scale = np.where(volatility > 0, volatility, 1.0)
    found = matrix / np.outer(scale, scale)
    np.fill_diagonal(found, 1.0)
    return np.asarray(np.clip(found, -1.0, 1.0))
