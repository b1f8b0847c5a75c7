"""The least cost at held violation and hops: slopes find a cheap plan, prices rule lanes out, the rest is solved exactly.

The dual prices of the linear relaxation give every lane the least that using it would add to the relaxation's cost. A lane
for which that exceeds the cost of a known plan is in no cheaper plan, so the exact program is solved without it.
"""

from collections.abc import Sequence
from fractions import Fraction

from coordinator.planner.counting import count_by_chain
from coordinator.planner.model import FlowModel
from coordinator.planner.network import Arc
from coordinator.planner.prices import prices
from coordinator.planner.program import Vector
from coordinator.planner.state import Search

GAP = 7e-5
RETRIES = 12
SLOPES = 4
SLOPE_GAP = 1e-3
SMALL = 260
NEAR = 1e-7
CORES = (100, 250)
CORE_GAP = 1e-3


def cheapest(search: Search, held: float, hops: int) -> None:
    """Least cost with at most `hops` hops; more only when no plan with so few can be carried out."""
    cap = hops
    arcs: Sequence[Arc] = search.network.arcs
    for attempt in range(RETRIES):
        if attempt == 0 and len(arcs) > SMALL and search.reaches(held, cap):
            arcs = _worth_using(search, held, cap)
        known = search.learnt
        found = _exact(search, held, cap, arcs)
        if search.clock.over:
            return
        if not found and not arcs:
            return
        if not found and known == search.learnt:
            cap += 1
        elif known == search.learnt:
            return


def _exact(search: Search, held: float, cap: int, arcs: Sequence[Arc]) -> bool:
    """One exact solve over these arcs; sets the cost bound when nothing restricts the plans."""
    model = search.model(arcs, barred=True)
    model.hold_violation(held)
    model.hold(model.hop_row, float(cap))
    count_by_chain(model, cap)
    factor = cost_factor(model)
    cost = {column: entry * factor for column, entry in model.cost().items()}
    used = {leg.lane for leg in search.best.listing.legs}
    start = {columns.use: float(arc.lane.id in used) for arc, columns in zip(model.arcs, model.columns)}
    outcome = model.program.minimise(cost, search.clock, gap=GAP, start=start if search.reaches(held, cap) else None)
    complete = len(arcs) == len(search.network.arcs)
    if not search.barred and outcome.bound > -1e300:
        proven = outcome.bound / factor
        bound = Fraction(proven - abs(proven) * NEAR) / search.network.factor if proven < 1e300 else search.best.reached.cost
        bound = bound if complete else min(bound, search.best.reached.cost)
        if proven < 1e300 or not complete:
            search.bounds.cost, search.bounds.cost_hops = bound, cap
    return outcome.values is not None and search.try_point(model, outcome.values)


def _worth_using(search: Search, held: float, cap: int) -> list[Arc]:
    """Arcs that a plan cheaper than the best one could use; sets a first cost bound."""
    model = search.model()
    model.hold_violation(held)
    model.hold(model.hop_row, float(cap))
    factor = cost_factor(model)
    cost = {column: entry * factor for column, entry in model.cost().items()}
    relaxed = model.program.minimise(cost, search.clock, relaxed=True)
    if relaxed.values is None or relaxed.duals is None:
        return list(search.network.arcs)
    _slopes(search, held, cap, [model.arcs[index] for index in model.flowing(relaxed.values)])
    priced = prices(model, cost, relaxed.duals)
    if priced is None:
        return list(search.network.arcs)
    floor, extra = priced
    search.bounds.cost = Fraction((floor - abs(floor) * NEAR) / factor) / search.network.factor
    search.bounds.cost_hops = cap
    for size in CORES:
        left = _under_ceiling(search, model.arcs, extra, floor=floor, factor=factor)
        if len(left) <= size * 3 // 2:
            break
        _core(search, held, cap, sorted(zip(extra, range(len(extra)), model.arcs))[:size])
    return _under_ceiling(search, model.arcs, extra, floor=floor, factor=factor)


def _under_ceiling(search: Search, arcs: Sequence[Arc], extra: Sequence[float], *, floor: float, factor: float) -> list[Arc]:
    """Arcs whose use does not lift the relaxation above the cost of the best plan."""
    ceiling = search.network.scaled(search.best.reached.cost) * factor
    ceiling += abs(ceiling) * 1e-9 + 1e-9
    return [arc for arc, more in zip(arcs, extra) if floor + more <= ceiling]


def _core(search: Search, held: float, cap: int, priced: Sequence[tuple[float, int, Arc]]) -> None:
    """A cheaper plan from the most promising lanes and those of the best plan."""
    used = {leg.lane for leg in search.best.listing.legs}
    core = [arc for _, _, arc in priced]
    core += [arc for arc in search.network.arcs if arc.lane.id in used and arc not in set(core)]
    model = search.model(core, barred=True)
    model.hold_violation(held)
    model.hold(model.hop_row, float(cap))
    factor = cost_factor(model)
    cost = {column: entry * factor for column, entry in model.cost().items()}
    count_by_chain(model, cap)
    outcome = model.program.minimise(cost, search.clock, gap=CORE_GAP)
    if outcome.values is not None:
        search.try_point(model, outcome.values)


def _slopes(search: Search, held: float, cap: int, arcs: Sequence[Arc]) -> None:
    """Slope scaling: charge each lane its fixed cost in proportion to its last flow; try each support as a plan."""
    bridges = {leg.lane for leg in search.best.listing.legs}
    kept = [arc for arc in search.network.arcs if arc.lane.id in bridges or not arc.bridge]
    for pool in (kept, [*arcs, *(arc for arc in kept if arc not in set(arcs))]):
        model = search.model(pool, barred=True, loose_swaps=True)
        model.hold_violation(held)
        model.hold(model.hop_row, float(cap))
        cost = model.cost()
        for number in range(SLOPES):
            outcome = model.program.minimise(cost, search.clock, gap=SLOPE_GAP)
            if outcome.values is None:
                break
            if number == 0:
                _keep_bridges(model, outcome.values)
            lanes = tuple(sorted(model.arcs[index].lane.id for index in model.used(outcome.values)))
            if lanes in search.tried:
                break
            search.tried.add(lanes)
            search.try_point(model, outcome.values)
            cost = _scaled_slopes(model, outcome.values)


def _keep_bridges(model: FlowModel, values: Vector) -> None:
    """The bridges of a point are kept, others closed: what is left to choose are swaps."""
    used = set(model.used(values))
    for index, (arc, columns) in enumerate(zip(model.arcs, model.columns)):
        if arc.bridge:
            model.program.lower[columns.use] = model.program.upper[columns.use] = float(index in used)


def _scaled_slopes(model: FlowModel, values: Vector) -> dict[int, float]:
    cost = model.cost()
    for arc, columns in zip(model.arcs, model.columns):
        if not arc.bridge:
            share = float(values[columns.use])
            cost[columns.use] = arc.fixed / max(share, 1e-2)
    return cost


def cost_factor(model: FlowModel) -> float:
    """Brings a typical cost entry near one, so that the solver's tolerances mean little money."""
    entries = sorted(abs(entry) for entry in model.cost().values() if entry != 0.0)
    middle = entries[len(entries) // 2] if entries else 1.0
    return min(max(1.0 / middle, 1.0), 1e6)
