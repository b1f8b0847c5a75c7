"""Metrics in Prometheus' text format: folds of the newest look and of the journal, so that a restart changes no counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from importlib.metadata import version

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chains.base import Unknown
from chains.tokens import Amount
from coordinator.saga.machine import ENDS
from coordinator.turn import Seen
from coordinator.views.words import Names
from coordinator.web.pages.gas import tanks
from coordinator.web.watcher import Watcher
from policies.drift import unpriced

BUCKETS = (5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)  # seconds a transfer takes
ENDED = {state.value for state in ENDS}


def exposition(watcher: Watcher) -> tuple[bytes, str]:
    """All metrics as they are now, and their content type."""
    registry = CollectorRegistry()
    registry.register(_Now(watcher))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Now(Collector):
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def collect(self) -> Iterable[Metric]:
        yield from _process(self._watcher)
        yield from _transfers(self._watcher)
        yield from _plans(self._watcher)
        seen = self._watcher.glance.seen
        if seen is not None:
            yield from _weights(self._watcher, seen)
            yield from _world(self._watcher, seen)
            yield from _books(seen)


def _gauge(name: str, told: str, values: Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family


def _count(name: str, told: str, values: Iterable[tuple[tuple[str, ...], float]], labels: tuple[str, ...] = ()) -> Metric:
    family = CounterMetricFamily(name, told, labels=labels)
    for label, value in values:
        family.add_metric(label, value)
    return family


def _process(watcher: Watcher) -> Iterator[Metric]:
    yield InfoMetricFamily("coordinator_build", "The program that speaks.", {"version": version("coordinator")})
    taken = watcher.glance.taken
    looked = [((), float(taken))] if taken is not None else []
    yield _gauge("coordinator_look_timestamp_seconds", "When the newest look that succeeded was taken.", looked)
    yield from _daemon(watcher)
    yield _gauge("coordinator_look_failing", "1 while the newest look failed.", [((), float(bool(watcher.glance.problem)))])


def _daemon(watcher: Watcher) -> Iterator[Metric]:
    heartbeat, turns = watcher.records.turns.heartbeat, watcher.records.newest_turns()
    alive = [((), float(heartbeat))] if heartbeat is not None else []
    yield _gauge("coordinator_heartbeat_timestamp_seconds", "The newest sign of life of the daemon.", alive)
    good = [((), float(turn.time)) for turn in turns if turn.outcome not in {"failed", "blind"}][:1]
    yield _gauge("coordinator_schedule_last_success_timestamp_seconds", "When the daemon last ended a turn that could decide.", good)
    newest = [((turn.outcome,), 1.0) for turn in turns[:1]]
    yield _gauge("coordinator_turn_outcome", "What the daemon's newest turn came to.", newest, ("outcome",))


def _transfers(watcher: Watcher) -> Iterator[Metric]:
    rows, now = watcher.records.rows, watcher.app.clock.now()
    route = {row["leg"]: f"{row['rail']} {row['source_chain']}->{row['target_chain']}" for row in rows}
    ended = [row for row in rows if row["state"] in ENDED]
    ages: dict[tuple[str, ...], float] = {}
    for row in rows:
        if row["state"] not in ENDED and row["began"] is not None:
            label = (route[row["leg"]], row["state"])
            ages[label] = max(ages.get(label, 0.0), float(now - row["began"]))
    yield _gauge("coordinator_transfer_age_seconds", "Age of the oldest open transfer.", ages.items(), ("route", "state"))
    outcomes: Counter[tuple[str, ...]] = Counter((row["kind"], row["state"]) for row in ended)
    yield _count("coordinator_leg", "Legs that ended.", _floats(outcomes), ("kind", "outcome"))
    undone = sum(row["state"] in {"refunded", "abandoned"} for row in rows)
    yield _count("coordinator_compensation", "Legs that did not happen and were taken back or refunded.", [((), float(undone))])
    parked = sum(bool(row["needs_you"]) for row in rows if row["state"] not in ENDED)
    yield _gauge("coordinator_legs_parked", "Open legs that need a person.", [((), float(parked))])
    yield _durations([(route[row["leg"]], row["seconds"]) for row in ended if row["state"] == "delivered"])


def _durations(took: list[tuple[str, int]]) -> Metric:
    family = HistogramMetricFamily("coordinator_transfer_duration_seconds", "How long delivered transfers took.", labels=("route",))
    for route in dict.fromkeys(route for route, _ in took):
        seconds = [value for name, value in took if name == route]
        buckets = [(str(float(edge)), float(sum(value <= edge for value in seconds))) for edge in BUCKETS]
        family.add_metric((route,), [*buckets, ("+Inf", float(len(seconds)))], float(sum(seconds)))
    return family


def _plans(watcher: Watcher) -> Iterator[Metric]:
    runs = watcher.records.runs
    outcomes: Counter[tuple[str, ...]] = Counter((run.outcome,) for run in runs if run.saga.ended)
    yield _count("coordinator_plan", "Plans that were carried out to their end.", _floats(outcomes), ("outcome",))
    parts = {
        "network": sum((run.plan.cost.network for run in runs), Fraction(0)),
        "bridge": sum((run.plan.cost.bridge for run in runs), Fraction(0)),
        "slippage": sum((run.plan.cost.slippage for run in runs), Fraction(0)),
    }
    costs = [((name,), float(value)) for name, value in parts.items()]
    yield _count("coordinator_plan_cost_usd", "Expected cost of every plan begun.", costs, ("component",))


def _weights(watcher: Watcher, seen: Seen) -> Iterator[Metric]:
    folio, name = seen.portfolio, watcher.app.treasury.name
    if unpriced(folio):
        return  # without a price there is no NAV, and an absent series says so
    yield _gauge("coordinator_nav_usd", "Net asset value at own prices.", [((name,), float(folio.nav))], ("portfolio",))
    weights = folio.asset_weights()
    shares = {asset: weights.get(asset, Fraction(0)) for asset in seen.targets.assets}
    yield _gauge("coordinator_asset_weight_ratio", "Share of NAV.", [((a,), float(s)) for a, s in shares.items()], ("asset",))
    drifts = [((asset,), float(band.surplus(shares[asset]) - band.deficit(shares[asset]))) for asset, band in seen.targets.assets.items()]
    yield _gauge("coordinator_drift_ratio", "Share of NAV outside the band, negative below it.", drifts, ("asset",))
    under_way: dict[tuple[str, ...], Fraction] = {}
    for saga in seen.open_sagas:
        for leg in saga.legs.values():
            if not leg.state.ended:
                rail = (leg.leg.lane.rail,)
                worth = folio.prices.value(Amount(leg.leg.lane.target, leg.expects))
                under_way[rail] = under_way.get(rail, Fraction(0)) + worth
    yield _gauge("coordinator_in_flight_usd", "Value under way by rail.", [(k, float(v)) for k, v in under_way.items()], ("bridge",))


def _world(watcher: Watcher, seen: Seen) -> Iterator[Metric]:
    names, now = Names(watcher.app.treasury), watcher.app.clock.now()
    actions = [((tank["chain"],), float(tank["actions"])) for tank in tanks(watcher, seen) if tank["actions"] is not None]
    yield _gauge("coordinator_gas_tank_actions", "Transactions that the native coin above its floor pays for.", actions, ("chain",))
    low = [((tank["chain"],), float(tank["low"])) for tank in tanks(watcher, seen)]
    yield _gauge("coordinator_gas_tank_below_floor", "1 while the native coin is below its floor.", low, ("chain",))
    lags = [((names.chain(chain),), float(max(0, now - height.time))) for chain, height in seen.heights.items()]
    yield _gauge("coordinator_rpc_head_lag_seconds", "Age of the newest final height that was seen.", lags, ("chain",))
    prices = seen.portfolio.prices
    ages = [((p.asset, source), float(max(0, now - p.time))) for p in prices.by_asset.values() for source in p.sources]
    yield _gauge("coordinator_price_age_seconds", "Age of the price in use.", ages, ("asset", "source"))
    apart = [((p.asset,), float(p.spread)) for p in prices.by_asset.values()]
    yield _gauge("coordinator_oracle_deviation_ratio", "How far an asset's sources lie apart.", apart, ("asset",))
    refused = [((asset,), float(asset in prices.refused)) for asset in watcher.app.treasury.assets]
    yield _gauge("coordinator_price_refused", "1 while an asset has no usable price.", refused, ("asset",))


def _books(seen: Seen) -> Iterator[Metric]:
    """Differences that nobody's legs explain, in dollars; a token without a price or a balance is told by other metrics."""
    tokens = {position.token.id: position.token for position in seen.portfolio.positions}
    gaps = [
        seen.portfolio.prices.value(Amount(tokens[line.token], abs(line.gap)))
        for line in seen.lines
        if not line.under_way and not isinstance(line.gap, Unknown) and line.token in tokens
        if tokens[line.token].asset in seen.portfolio.prices.by_asset
    ]
    told = "Sum of all differences between ledger and chains that are not under way."
    yield _gauge("coordinator_conservation_residual_usd", told, [((), float(sum(gaps, Fraction(0))))])


def _floats(counts: Counter[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], float]]:
    return ((label, float(count)) for label, count in sorted(counts.items()))
