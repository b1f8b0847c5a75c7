"""The fast backtest of fixed bands: the same decisions as `run`, found by jumping from trade to trade.

Between trades holdings do not change, so whether a weight w_i is above its edge h is one linear form of the prices,
q_i p_i - h q'p > 0; a block of bars is one matrix product. Floats decide only where they cannot be wrong: when any bar came closer to
an edge than `KNIFE_EDGE`, the answer is thrown away and the exact backtest is run instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from chains.tokens import AssetId
from policies.backtest.run import Run, Terms, Trade, run
from policies.base import Band, Policy, Targets, Trigger
from policies.drift import BandPolicy, DriftTrigger
from policies.landing import landed
from policies.panel import Floats, Panel

KNIFE_EDGE = 1e-9
"""Share of NAV. Rounding moves a weight by about 1e-13 over ten thousand trades."""
LEAST_BLOCK, MOST_BLOCK = 32, 2048


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Fixed bands as arrays, one entry an asset of the panel: where a trade starts and where it lands."""

    starts_low: Floats
    starts_high: Floats
    low: Floats
    high: Floats
    ideal: Floats

    @property
    def point(self) -> bool:
        return bool(np.array_equal(self.low, self.high))


def backtest(panel: Panel, policy: Policy, trigger: Trigger, terms: Terms) -> Run:
    """The backtest, by the fast way where it exists and is certain, else the exact one: equal decisions either way."""
    whole = panel if panel.complete else panel.common()  # a bar without all prices decides nothing, and fixed bands remember nothing
    edges = edges_of(whole, policy, trigger, terms)
    if edges is None or not np.isfinite(panel.prices[0]).all():
        return run(panel, policy, trigger, terms)
    found = jump(whole, edges, terms)
    if found.closest is None or found.closest <= KNIFE_EDGE:
        return run(panel, policy, trigger, terms)
    return found if whole is panel else replace(found, blind=tuple(np.flatnonzero(~np.isfinite(panel.prices).all(axis=1)).tolist()))


def edges_of(panel: Panel, policy: Policy, trigger: Trigger, terms: Terms) -> Edges | None:
    """The bands as arrays; None when decisions depend on more than present weights."""
    if not isinstance(policy, BandPolicy) or not isinstance(trigger, DriftTrigger) or terms.delay:
        return None
    targets = policy.bands
    if targets.chains or targets.tokens or set(targets.assets) != set(panel.assets):
        return None
    ideal = landed({}, targets).ideal
    if sum(ideal.values()) != 1:
        return None
    starting, beyond = targets.starting, trigger.beyond
    return Edges(
        _row(panel, {a: _low(band) - beyond for a, band in starting.items()}),
        _row(panel, {a: _high(band) + beyond for a, band in starting.items()}),
        _row(panel, {a: _low(band) for a, band in targets.assets.items()}),
        _row(panel, {a: _high(band) for a, band in targets.assets.items()}),
        _row(panel, ideal),
    )


def _row(panel: Panel, values: Mapping[AssetId, Fraction]) -> Floats:
    return np.array([float(values[asset]) for asset in panel.assets])


def _low(band: Band) -> Fraction:
    return band.low if band.low is not None else Fraction(-1)


def _high(band: Band) -> Fraction:
    return band.high if band.high is not None else Fraction(2)


def point_targets(weights: Mapping[AssetId, Fraction], threshold: Fraction) -> Targets:
    """Threshold to target: nothing happens within `threshold` of the weights, beyond it all go back to them."""
    outer = {asset: Band(weight - threshold, weight, weight + threshold) for asset, weight in weights.items()}
    return Targets({asset: Band(weight, weight, weight) for asset, weight in weights.items()}, outer=outer)


def jump(panel: Panel, edges: Edges, terms: Terms) -> Run:
    """From trade to trade, a block of bars at a time. `closest` of the result says how near any bar came to an edge."""
    by_asset = np.ascontiguousarray(panel.prices.T)
    size, bars = by_asset.shape
    start = edges.ideal if terms.start is None else np.array([float(terms.start.get(asset, 0)) for asset in panel.assets])
    cost, per_leg = float(terms.proportional), float(terms.per_leg)
    held = float(terms.value) * (1 - (cost if terms.entry else 0)) * start / by_asset[:, 0]
    values, holdings = np.empty(bars), [(0, held)]
    forms = np.empty((2 * size + 1, size))
    trades: list[Trade] = []
    bar, block, closest = 0, 256, np.inf
    _forms(forms, held, edges)
    while bar < bars:
        product = forms @ by_asset[:, bar : bar + block]
        worth = product[-1]
        over = product[:-1].max(axis=0) / worth
        hits = over > 0
        at = int(hits.argmax())
        if not hits[at]:
            values[bar : bar + len(worth)] = worth
            closest = min(closest, -float(over.max()))
            bar, block = bar + len(worth), min(MOST_BLOCK, 2 * block)
            continue
        closest = min(closest, float(over[at]), -float(over[:at].max(initial=-np.inf)))
        values[bar : bar + at] = worth[:at]
        bar += at
        trade, held = _traded(panel, edges, (bar, held * by_asset[:, bar]), (cost, per_leg))
        values[bar] = float(held.sum())
        held = held / by_asset[:, bar]
        trades.append(trade)
        holdings.append((bar, held))
        _forms(forms, held, edges)
        bar, block = bar + 1, max(LEAST_BLOCK, min(MOST_BLOCK, at + at // 2))
    return Run(panel, terms, values, None, tuple(trades), (), float(closest), (), tuple(holdings), edges.ideal)


def _forms(forms: Floats, held: Floats, edges: Edges) -> None:
    """Rows: asset i above its high edge, asset i below its low edge (both in USD), and the value."""
    size = len(held)
    np.multiply.outer(-edges.starts_high, held, out=forms[:size])
    np.multiply.outer(edges.starts_low, held, out=forms[size : 2 * size])
    diagonal = np.arange(size)
    forms[diagonal, diagonal] += held
    forms[size + diagonal, diagonal] -= held
    forms[-1] = held


def _traded(panel: Panel, edges: Edges, worth_at: tuple[int, Floats], costs: tuple[float, float]) -> tuple[Trade, Floats]:
    """The trade at a bar, and the value of each asset after it."""
    bar, worth = worth_at
    nav = float(worth.sum())
    before = worth / nav
    after = edges.ideal if edges.point else land(before, edges)
    moved = np.abs(after - before)
    turnover, legs = float(moved.sum()), int(np.count_nonzero(moved))
    proportional, fixed = costs[0] * turnover * nav, costs[1] * legs
    which = int(np.argmax(np.maximum(before - edges.starts_high, edges.starts_low - before)))
    side = "above" if before[which] > edges.starts_high[which] else "below"
    trade = Trade(
        bar,
        panel.times[bar],
        f"{panel.assets[which]} is {side} its band",
        dict(zip(panel.assets, before.tolist(), strict=True)),
        dict(zip(panel.assets, after.tolist(), strict=True)),
        turnover,
        legs,
        proportional,
        fixed,
    )
    return trade, np.asarray(after * (nav - proportional - fixed))


def land(before: Floats, edges: Edges) -> Floats:
    """`landing.landed` on floats: pairs of legs until no asset is outside its band."""
    new = before.copy()
    for _ in range(2 * len(new)):
        outside = np.maximum(new - edges.high, 0.0) - np.maximum(edges.low - new, 0.0)
        name = int(np.argmax(np.abs(outside)))
        size = float(outside[name])
        if abs(size) < 1e-15:
            break
        apart = new - edges.ideal
        apart[name] = np.inf if size > 0 else -np.inf
        partner = int(np.argmin(apart) if size > 0 else np.argmax(apart))
        size = max(size, -float(new[partner]))
        new[partner] += size
        new[name] = new[name] - size
        if edges.low[name] - 1e-15 < new[name] < edges.low[name]:
            new[name] = edges.low[name]
        elif edges.high[name] < new[name] < edges.high[name] + 1e-15:
            new[name] = edges.high[name]
    return new


def tracking_of(found: Run) -> Floats:
    """Return of held minus ideal weights from each known bar to the next."""
    if found.tracking is not None or found.ideal is None:
        return found.tracking if found.tracking is not None else np.empty(0)
    by_asset = found.panel.prices.T
    counts = np.diff([bar for bar, _ in found.holdings] + [by_asset.shape[1]])
    worth = np.repeat(np.array([units for _, units in found.holdings]).T, counts, axis=1) * by_asset
    weights = worth / worth.sum(axis=0)
    moved = by_asset[:, 1:] / by_asset[:, :-1] - 1.0
    return np.asarray(((weights[:, :-1] - found.ideal[:, None]) * moved).sum(axis=0))
