"""The fast backtest of fixed bands: the same decisions as `run`, found by jumping from trade to trade.

Between trades holdings do not change, so whether a weight w_i is above its edge h is one linear form of the prices,
q_i p_i - h q'p > 0; a block of bars is one matrix product. Floats decide only where they cannot be wrong: when any bar came closer to
an edge than `KNIFE_EDGE`, the answer is thrown away and the exact backtest is run instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import overload

import numpy as np
import numpy.typing as npt

from chains.tokens import AssetId
from policies.backtest.kernel import thresholds
from policies.backtest.run import Run, Terms, Trade, run
from policies.base import Band, Policy, Targets, Trigger
from policies.drift import BandPolicy, DriftTrigger
from policies.landing import landed
from policies.panel import Floats, Panel

KNIFE_EDGE = 1e-9
"""Share of NAV. Rounding moves a weight by about 1e-13 over ten thousand trades."""
Bars = npt.NDArray[np.int64]
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
    """From trade to trade. `closest` of the result says how near any bar came to an edge.

    Where numba is installed and trades land on points, a compiled loop does it; else a block of bars at a time.
    """
    start = edges.ideal if terms.start is None else np.array([float(terms.start.get(asset, 0)) for asset in panel.assets])
    cost, per_leg = float(terms.proportional), float(terms.per_leg)
    value = float(terms.value) * (1 - (cost if terms.entry else 0))
    found = None
    if edges.point and np.array_equal(start, edges.ideal):
        found = thresholds(panel.prices, (edges.starts_low, edges.starts_high, edges.ideal), (value, cost, per_leg))
    values, bars, closest = found if found is not None else _by_blocks(panel.prices, edges, value * start, (cost, per_leg))
    trades = Trades(panel, edges, terms, (value * start, bars))
    return Run(panel, terms, values, None, trades, (), float(closest), (), edges.ideal)


def _by_blocks(prices: Floats, edges: Edges, worth: Floats, costs: tuple[float, float]) -> tuple[Floats, Bars, float]:
    """(values, bars of trades, closest approach to an edge)."""
    by_asset = np.ascontiguousarray(prices.T)
    size, bars = by_asset.shape
    held, values, trades = worth / by_asset[:, 0], np.empty(bars), []
    forms = np.empty((2 * size + 1, size))
    bar, block, closest = 0, 256, np.inf
    _forms(forms, held, edges)
    while bar < bars:
        product = forms @ by_asset[:, bar : bar + block]
        over = product[:-1].max(axis=0) / product[-1]
        hits = over > 0
        at = int(hits.argmax())
        if not hits[at]:
            values[bar : bar + len(over)] = product[-1]
            closest = min(closest, -float(over.max()))
            bar, block = bar + len(over), min(MOST_BLOCK, 2 * block)
            continue
        closest = min(closest, float(over[at]), -float(over[:at].max(initial=-np.inf)))
        values[bar : bar + at] = product[-1, :at]
        bar += at
        after = _landed(held * by_asset[:, bar], edges, costs)[1]
        values[bar] = float(after.sum())
        held = after / by_asset[:, bar]
        trades.append(bar)
        _forms(forms, held, edges)
        bar, block = bar + 1, max(LEAST_BLOCK, min(MOST_BLOCK, at + at // 2))
    return values, np.array(trades, dtype=np.int64), closest


def _forms(forms: Floats, held: Floats, edges: Edges) -> None:
    """Rows: asset i above its high edge, asset i below its low edge (both in USD), and the value."""
    size = len(held)
    np.multiply.outer(-edges.starts_high, held, out=forms[:size])
    np.multiply.outer(edges.starts_low, held, out=forms[size : 2 * size])
    diagonal = np.arange(size)
    forms[diagonal, diagonal] += held
    forms[size + diagonal, diagonal] -= held
    forms[-1] = held


def _landed(worth: Floats, edges: Edges, costs: tuple[float, float]) -> tuple[Floats, Floats]:
    """(weights after, value of each asset after costs) of a trade from these values."""
    nav = float(worth.sum())
    before = worth / nav
    after = edges.ideal if edges.point else land(before, edges)
    moved = np.abs(after - before)
    return after, np.asarray(after * (nav - costs[0] * float(moved.sum()) * nav - costs[1] * int(np.count_nonzero(moved))))


class Trades(Sequence[Trade]):
    """The trades of a fast backtest: their bars are known at once, the rest is reckoned when somebody looks.

    `begun`: the value of each asset at the first bar, and the bars of the trades.
    """

    def __init__(self, panel: Panel, edges: Edges, terms: Terms, begun: tuple[Floats, Bars]) -> None:
        self.panel, self.edges = panel, edges
        self.costs = float(terms.proportional), float(terms.per_leg)
        self.worth, self.bars = begun
        self._all: tuple[Trade, ...] | None = None

    def holdings(self) -> list[tuple[int, Floats]]:
        """(bar, units held from it on)."""
        found = [(0, self.worth / self.panel.prices[0])]
        for bar in self.bars.tolist():
            after = _landed(found[-1][1] * self.panel.prices[bar], self.edges, self.costs)[1]
            found.append((bar, after / self.panel.prices[bar]))
        return found

    def __len__(self) -> int:
        return len(self.bars)

    @overload
    def __getitem__(self, index: int) -> Trade: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Trade]: ...
    def __getitem__(self, index: int | slice) -> Trade | Sequence[Trade]:
        if self._all is None:
            befores = self.holdings()
            self._all = tuple(self._trade(bar, units) for (_, units), bar in zip(befores, self.bars.tolist(), strict=False))
        return self._all[index]

    def _trade(self, bar: int, units: Floats) -> Trade:
        worth = units * self.panel.prices[bar]
        nav, edges, assets = float(worth.sum()), self.edges, self.panel.assets
        before = worth / nav
        after, _ = _landed(worth, edges, self.costs)
        moved = np.abs(after - before)
        which = int(np.argmax(np.maximum(before - edges.starts_high, edges.starts_low - before)))
        side = "above" if before[which] > edges.starts_high[which] else "below"
        was, now = (dict(zip(assets, weights.tolist(), strict=True)) for weights in (before, after))
        turnover, legs = float(moved.sum()), int(np.count_nonzero(moved))
        proportional, fixed = self.costs[0] * turnover * nav, self.costs[1] * legs
        return Trade(bar, self.panel.times[bar], f"{assets[which]} is {side} its band", was, now, turnover, legs, proportional, fixed)


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
    if found.tracking is not None or not isinstance(found.trades, Trades) or found.ideal is None:
        return found.tracking if found.tracking is not None else np.empty(0)
    by_asset, holdings = found.panel.prices.T, found.trades.holdings()
    counts = np.diff([bar for bar, _ in holdings] + [by_asset.shape[1]])
    worth = np.repeat(np.array([units for _, units in holdings]).T, counts, axis=1) * by_asset
    weights = worth / worth.sum(axis=0)
    moved = by_asset[:, 1:] / by_asset[:, :-1] - 1.0
    return np.asarray(((weights[:, :-1] - found.ideal[:, None]) * moved).sum(axis=0))
