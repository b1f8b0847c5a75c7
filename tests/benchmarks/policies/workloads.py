"""Seeded workloads of the policy checks and benchmarks: price panels and single rebalances, the same for every engine."""

from __future__ import annotations

import numpy as np

from policies.panel import Panel, panel
from policies.region.problem import Problem, problem
from policies.risk.covariance import Floats

HOURS, DAYS = 8766.0, 365.25
START = 1_609_459_200  # 2021-01-01


def synthetic(n: int, bars: int, seed: int, bars_per_year: float = HOURS) -> Panel:
    """n correlated geometric Brownian motions from 100; drawn in this order: volatilities, common factor, own factors."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.5, 1.0, n)
    common, own = rng.standard_normal(bars - 1), rng.standard_normal((bars - 1, n))
    dt = 1.0 / bars_per_year
    log_returns = sigma * np.sqrt(dt) * (np.sqrt(0.6) * common[:, None] + np.sqrt(0.4) * own) - 0.5 * sigma**2 * dt
    prices = 100.0 * np.exp(np.vstack([np.zeros(n), np.cumsum(log_returns, 0)]))
    step = 3600 if bars_per_year > 1000 else 86_400
    return panel([START + step * i for i in range(bars)], [f"A{i:02d}" for i in range(n)], prices)


def dying(seed: int = 1, n: int = 5, bars: int = 744) -> Panel:
    """A synthetic panel whose last asset falls from bar 480 on to 1e-4 of itself within 96 bars."""
    alive = synthetic(n, bars, seed)
    prices = alive.prices.copy()
    prices[:, -1] *= 1e-4 ** np.clip((np.arange(bars) - 480) / 96, 0.0, 1.0)
    return panel(alive.times, alive.assets, prices)


def factors(n: int, seed: int) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Loadings, specific variances, target, drifted weights, costs."""
    rng = np.random.default_rng(seed)
    k = 3 if n <= 10 else (10 if n <= 100 else 20)
    loadings = rng.normal(0, 0.02 / np.sqrt(k), (n, k))
    loadings[:, 0] += 0.03
    specific = rng.uniform(0.02, 0.06, n) ** 2
    target = rng.dirichlet(np.ones(n) * 2)
    current = target * np.exp(rng.normal(0, 0.25, n))
    return loadings, specific, target, current / current.sum(), rng.uniform(5e-4, 40e-4, n)


def rebalance(n: int, seed: int | None = None) -> Problem:
    """One rebalance with tracking risk and proportional costs; leaves 30 to 90 % of the names untouched."""
    loadings, specific, target, current, costs = factors(n, n if seed is None else seed)
    return problem(loadings @ loadings.T + np.diag(specific), 30.0 * np.sqrt(n), target, current, costs=costs)
