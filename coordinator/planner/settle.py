"""From chosen lanes to exact integers: amounts that meet the bands with a little room, rounded, then mended to the unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import networkx as nx

from coordinator.planner.instance import Instance, Lane
from coordinator.planner.model import FlowModel
from coordinator.planner.network import SCALE, Arc, Network
from coordinator.planner.order import put_in_order
from coordinator.planner.program import Clock, Vector
from coordinator.planner.replay import Reached, misses, replay

ROOM = SCALE * 1e-9
PASSES = 40
DEPTH = 3


@dataclass(frozen=True, slots=True)
class Settled:
    """Amounts by lane, and the lanes that had to be told to fill their segments in order."""

    moves: dict[str, int]
    strict: frozenset[str]


def settle(network: Network, arcs: Sequence[Arc], circles: Sequence[tuple[str, ...]] = ()) -> Settled | None:
    """Integer amounts for a plan that uses exactly these lanes (idle ones are dropped); None when they cannot all be used.

    Rounding can overstep a limit that binds, so with limits the amounts are also sought with a few units to spare.
    """
    instance = network.instance
    found = [_settle(network, arcs, circles, 0.0)]
    if instance.limits.turnover is not None or instance.limits.cost is not None:
        spare = 4.0 * sum(arc.source_unit + arc.target_unit for arc in arcs) + ROOM
        found.append(_settle(network, arcs, circles, spare))
    ends = [(replay(instance, one.moves), one) for one in found if one is not None]
    ranked = sorted(ends, key=lambda end: (not end[0].sound, end[0].rank))
    return ranked[0][1] if ranked else None


def _settle(network: Network, arcs: Sequence[Arc], circles: Sequence[tuple[str, ...]], spare: float) -> Settled | None:
    strict: frozenset[str] = frozenset()
    while True:
        model = FlowModel(network, arcs, forced=True, margins=_margins(network, arcs), strict=strict, spare=spare)
        for lanes in circles:
            model.turn(lanes)
        found = _amounts(model)
        if found is None:
            return None
        values, violation = found
        disordered = model.disordered(values) - strict
        if not disordered:
            break
        strict |= disordered
    gives = {arc.lane.id: _units(network, arc, model.given(values, index)) for index, arc in enumerate(arcs)}
    return Settled(mend(network.instance, _affordable(network.instance, gives), violation), strict)


def _amounts(model: FlowModel) -> tuple[Vector, Fraction] | None:
    """Least violation, then most room to the edges, then least cost; also the least violation, less the solver's tolerance."""
    outcome = model.program.minimise(model.violation(), Clock(None))
    if outcome.values is None:
        return None
    values, least = outcome.values, max(outcome.objective, 0.0)
    model.hold(model.violation_row, least + 1e-9)
    for objective, row in ((model.margin(), model.margin_row), (model.cost(), model.cost_row)):
        outcome = model.program.minimise(objective, Clock(None))
        if outcome.values is None:
            break
        values = outcome.values
        model.hold(row, outcome.objective + 1e-9)
    return values, Fraction(max(least - ROOM, 0.0)) / model.network.factor


def mend(instance: Instance, moves: dict[str, int], enough: Fraction = Fraction(0)) -> dict[str, int]:
    """Exact descent until the violation is `enough`: shift single legs (and what feeds them) by what a band misses; drop idle legs."""
    reached = replay(instance, moves)
    for _ in range(PASSES):
        if reached.violation <= enough and reached.sound:
            break
        better = _best_shift(instance, moves, reached)
        if better is None:
            break
        moves, reached = better
    return drop_idle(instance, moves)


def _orderly(instance: Instance, moves: dict[str, int], reached: Reached) -> bool:
    return put_in_order(instance, {name: (gives, reached.takes[name]) for name, gives in moves.items()}) is not None


def drop_idle(instance: Instance, moves: dict[str, int]) -> dict[str, int]:
    """Leave out every leg without which the plan ranks at least as well."""
    reached = replay(instance, moves)
    for name in sorted(moves, key=lambda name: (moves[name] * instance.unit[instance.lane[name].source], name)):
        fewer = {lane: gives for lane, gives in moves.items() if lane != name}
        without = replay(instance, fewer)
        if without.sound and without.rank <= reached.rank:
            moves, reached = fewer, without
    return moves


def _margins(network: Network, arcs: Sequence[Arc]) -> list[float]:
    """Wished distance from each band's edges: the dust its legs can leave, never more than half the band."""
    margins: list[float] = []
    for band in network.instance.bands:
        members = {network.position[token] for token in band.tokens}
        touching = [arc for arc in arcs if arc.source in members or arc.target in members]
        dust = 2.0 * sum(arc.source_unit + arc.target_unit for arc in touching)
        now = network.scaled(sum((network.instance.start(t) * network.instance.unit[t] for t in band.tokens), Fraction(0)))
        edges = [network.scaled(edge) for edge in (band.low, band.high) if edge is not None]
        room = min((abs(edge - now) for edge in edges if abs(edge - now) > 0.0), default=0.0)
        wish = max(dust, min(ROOM, room * 1e-3))
        if len(edges) == 2:
            wish = min(wish, max(edges[1] - edges[0], 0.0) / 2)
        margins.append(wish if touching else 0.0)
    return margins


def _units(network: Network, arc: Arc, given: float) -> int:
    exact = Fraction(given) / network.factor / network.instance.unit[arc.lane.source]
    return min(max(round(exact), arc.lane.least), arc.lane.most)


def _affordable(instance: Instance, gives: dict[str, int]) -> dict[str, int]:
    """Cut amounts to what is there, token by token along the flow (a no-op up to rounding)."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name in gives:
        graph.add_edge(instance.lane[name].source, instance.lane[name].target)
    if not nx.is_directed_acyclic_graph(graph):
        return _affordable_around(instance, gives)
    left = {token: instance.held(token) for token in graph}
    cut = dict(gives)
    for token in nx.lexicographical_topological_sort(graph):
        for name in sorted((n for n in gives if instance.lane[n].source == token), key=lambda n: (gives[n], n)):
            lane = instance.lane[name]
            cut[name] = min(gives[name], left[token])
            left[token] -= cut[name]
            left[lane.target] += instance.takes(lane, cut[name])
    return cut


def _affordable_around(instance: Instance, gives: dict[str, int]) -> dict[str, int]:
    """The same for flows in a circle: play the legs in any order that works, cutting one where only dust is missing."""
    left = {token.id: instance.held(token.id) for token in instance.tokens}
    cut, waiting = dict(gives), sorted(gives)
    while waiting:
        lacking = {name: cut[name] - left[instance.lane[name].source] for name in waiting}
        name = min(waiting, key=lambda one: (max(Fraction(lacking[one], cut[one]), Fraction(0)), one))
        if lacking[name] > max(cut[name] // 10**6, 2):
            return gives
        lane = instance.lane[name]
        cut[name] -= max(lacking[name], 0)
        left[lane.source] -= cut[name]
        left[lane.target] += instance.takes(lane, cut[name])
        waiting.remove(name)
    return cut


def _best_shift(instance: Instance, moves: dict[str, int], reached: Reached) -> tuple[dict[str, int], Reached] | None:
    """The best single correction towards the bands, or None when none helps."""
    best: tuple[dict[str, int], Reached] | None = None
    for name, units in _steps(instance, moves, reached):
        shifted = _shift(instance, moves, (name, units), DEPTH)
        if shifted is None:
            continue
        then = replay(instance, shifted)
        standard = best[1] if best else reached
        if (not then.sound, then.violation, then.cost) < (
            not standard.sound,
            standard.violation,
            standard.cost,
        ) and _orderly(instance, shifted, then):
            best = shifted, then
    return best


def _steps(instance: Instance, moves: dict[str, int], reached: Reached) -> list[tuple[str, int]]:
    """Single-leg changes that would close one band's miss (or one overdrawn token) exactly."""
    steps: list[tuple[str, int]] = []
    for band, miss in zip(instance.bands, misses(instance, reached.final)):
        if miss == 0:
            continue
        value = sum((reached.final[token] * instance.unit[token] for token in band.tokens), Fraction(0))
        sign = 1 if band.short(value) > 0 else -1
        for name in moves:
            lane = instance.lane[name]
            enters, leaves = lane.target in band.tokens, lane.source in band.tokens
            units = _units_for(instance, lane, miss)
            if enters and not leaves:
                steps += [(name, sign * units), (name, sign * (units + 1))]
            if leaves:
                units = ceil(miss / instance.unit[lane.source])
                steps += [(name, -sign * units), (name, -sign * (units + 1)), (name, sign * units)]
    for token, units in reached.final.items():
        lacking = instance.arriving.get(token, 0) - units
        if lacking > 0:
            steps += [(name, -lacking) for name in moves if instance.lane[name].source == token]
    return steps


def _units_for(instance: Instance, lane: Lane, value: Fraction) -> int:
    """Source units whose delivery is worth about `value` more."""
    rate = max(lane.schedule[-1].rate, Fraction(1, 10**6))
    return ceil(value / (instance.unit[lane.source] * rate))


def _shift(instance: Instance, moves: dict[str, int], step: tuple[str, int], depth: int) -> dict[str, int] | None:
    """Change one leg; when that overdraws its source, draw more through a leg that feeds it."""
    name, units = step
    lane = instance.lane[name]
    gives = min(max(moves[name] + units, lane.least), lane.most)
    if gives == moves[name]:
        return None
    shifted = {**moves, name: gives}
    lacking = instance.arriving.get(lane.source, 0) - replay(instance, shifted).final[lane.source]
    if lacking <= 0:
        return shifted
    feeders = sorted(other for other in moves if instance.lane[other].target == lane.source)
    if not feeders or depth == 0:
        return {**moves, name: gives - lacking} if lane.least <= gives - lacking != moves[name] else None
    feeder = max(feeders, key=lambda other: (moves[other], other))
    wanted = _units_for(instance, instance.lane[feeder], lacking * instance.unit[lane.source]) + 1
    return _shift(instance, shifted, (feeder, wanted), depth - 1)
