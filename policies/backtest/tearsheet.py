"""The tearsheet of a backtest as plain data: NAV, tracking error, turnover, costs by kind, drawdown, and every trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from policies.backtest.fast import tracking_of
from policies.backtest.run import Run, Trade
from policies.panel import Floats
from policies.risk.tracking import YEAR

POINTS = 1000
"""At most so many points of the NAV curve are written; the first and last always are."""


def tearsheet(name: str, run: Run) -> dict[str, Any]:
    """Shares and yearly rates as floats, money in USD. Figures that cannot be known (one bar, no variance) are null."""
    known = np.flatnonzero(np.isfinite(run.values))
    values, times = run.values[known], np.array(run.panel.times)[known]
    years = float(times[-1] - times[0]) / YEAR if len(times) > 1 else 0.0
    proportional, fixed = sum(t.proportional for t in run.trades), sum(t.fixed for t in run.trades)
    entry = float(run.terms.value * run.terms.proportional) if run.terms.entry else 0.0
    turnover, legs = sum(t.turnover for t in run.trades), sum(t.legs for t in run.trades)
    return {
        "policy": name,
        "assets": list(run.panel.assets),
        "bars": len(run.panel.times),
        "from": int(times[0]),
        "to": int(times[-1]),
        "years": years,
        "value": {"first": float(run.terms.value), "last": float(values[-1]), "return": float(values[-1]) / float(run.terms.value) - 1},
        "volatility": _volatility(values, times),
        "tracking_error": _tracking_error(run, years),
        "drawdown": drawdown(values, times),
        "rebalances": len(run.trades),
        "legs": legs,
        "turnover": turnover,
        "per_year": None if not years else {"turnover": turnover / years, "rebalances": len(run.trades) / years, "legs": legs / years},
        "cost": {"entry": entry, "proportional": proportional, "fixed": fixed, "total": entry + proportional + fixed},
        "cost_bp_per_year": 1e4 * (_share(run.trades, values, known)) / years if years else None,
        "unpriced_bars": len(run.blind),
        "gaps": [{"after": at, "seconds": length} for at, length in run.panel.gaps()][:100],
        "closest_to_an_edge": run.closest,
        "told": list(run.told)[:100],
        "trades": [_trade(trade) for trade in run.trades],
        "nav": _curve(values, times),
    }


def _share(trades: Sequence[Trade], values: Floats, known: npt.NDArray[np.intp]) -> float:
    """Costs as shares of the NAV they were paid from."""
    by_bar: Mapping[int, float] = dict(zip(known.tolist(), values.tolist(), strict=True))
    paid = 0.0
    for trade in trades:
        cost = trade.proportional + trade.fixed
        paid += cost / (by_bar[trade.bar] + cost)
    return paid


def _volatility(values: Floats, times: Floats) -> float | None:
    if len(values) < 2:
        return None
    return float(np.sqrt(np.sum(np.diff(np.log(values)) ** 2) / float(times[-1] - times[0]) * YEAR))


def _tracking_error(run: Run, years: float) -> float | None:
    apart = tracking_of(run)
    return float(np.sqrt(np.sum(apart**2) / years)) if len(apart) and years else None


def drawdown(values: Floats, times: Floats) -> dict[str, Any]:
    """The deepest fall from a high, as a share of it, with the times of high and low."""
    highs = np.maximum.accumulate(values)
    fallen = 1 - values / highs
    low = int(np.argmax(fallen))
    high = int(np.argmax(values[: low + 1]))
    return {"share": float(fallen[low]), "high": int(times[high]), "low": int(times[low])}


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "time": trade.time,
        "reason": trade.reason,
        "before": dict(trade.before),
        "after": dict(trade.after),
        "turnover": trade.turnover,
        "legs": trade.legs,
        "cost": {"proportional": trade.proportional, "fixed": trade.fixed},
    }


def _curve(values: Floats, times: Floats) -> list[list[float]]:
    chosen = np.unique(np.linspace(0, len(values) - 1, min(POINTS, len(values))).round().astype(int))
    return [[int(times[i]), float(values[i])] for i in chosen]
