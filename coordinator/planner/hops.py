"""The fewest hops at a held violation: counted on a coarse network, attained on the real one.

The relaxation of the coarse program (see `merge.py`) gives a bound; dives at that many hops and more give a plan whose
bridges the real lanes have to carry. When the plan lies above the bound, an exact program over the merged bridges closes
the gap: it finds a plan with fewer hops, or proves that there is none.
"""

from collections.abc import Sequence
from math import ceil

from coordinator.planner.counting import count_by_chain
from coordinator.planner.dive import dive
from coordinator.planner.furnace import burn
from coordinator.planner.merge import coarsen
from coordinator.planner.model import FlowModel
from coordinator.planner.network import Arc
from coordinator.planner.program import Vector
from coordinator.planner.state import Search

RETRIES = 10
STEPS = (0, 2, 1, 4, 6, 9)
LARGE = 2_000
ANY = 10**9
CLOSING = 0.6
EAGER = 0.1
PLAIN = 5.0


def fewest_hops(search: Search, held: float) -> int | None:
    """Hops to hold the plan to, with search.bounds.hops proven; None when no point with that violation exists."""
    if not _bound(search, held):
        return None
    if not search.reaches(held, ANY):
        _any_plan(search, held)
    # a little above the bound a plan is found at once: large instances begin there, so that it is there if time runs out
    steps = (2, *STEPS) if len(search.network.arcs) > LARGE else STEPS
    for hops in (search.bounds.hops + step for step in steps):
        if search.clock.over:
            return search.best.reached.hops if search.reaches(held, ANY) else None
        if search.reaches(held, hops):
            continue
        if (_dive_for(search, held, hops) and hops <= search.bounds.hops + 1) or search.clock.over:
            break
    possible = search.reaches(held, search.bounds.hops) or _close_in_time(search, held)
    if search.reaches(held, ANY):
        return search.best.reached.hops
    return search.bounds.hops if possible else None


def _bound(search: Search, held: float) -> bool:
    """Set the hop bound by the coarse relaxation; False when the violation cannot be held at all."""
    merged, _ = coarsen(search.network.arcs)
    model = FlowModel(search.network, merged, loose_swaps=True)
    model.hold_violation(held)
    relaxed = model.program.minimise(model.hops(), search.clock, relaxed=True)
    if relaxed.kind == "optimal":
        search.bounds.hops = max(ceil(relaxed.bound - 1e-5), search.bounds.hops)
    return relaxed.kind != "infeasible"


def _dive_for(search: Search, held: float, hops: int) -> bool:
    """Whether a dive at this many hops leads to a plan."""
    merged, members = coarsen(search.network.arcs, swaps=False)
    model = search.model(merged, barred=True, loose_swaps=True)
    model.hold_violation(held)
    # at the bound itself hops are all that counts; above it a plan that does not pay for saving hops is wanted
    values = dive(model, hops, search.clock, PLAIN if hops > search.bounds.hops else EAGER)
    if values is None:
        return False
    _carry(search, held, hops, _chosen(model, values, members), exactly=False)
    return search.reaches(held, hops)


def _chosen(model: FlowModel, values: Vector, members: list[list[Arc]]) -> list[Arc]:
    """All swaps, and the lanes of the bridges used at a point."""
    used = set(model.used(values))
    return [arc for index, group in enumerate(members) if not group[0].bridge or index in used for arc in group]


def _carry(search: Search, held: float, hops: int, arcs: Sequence[Arc], *, exactly: bool) -> None:
    """Try to carry a plan on these lanes: first with loose swaps, then (if `exactly`) with all that is known of them."""
    for loose in (True, False) if exactly else (True,):
        model = search.model(arcs, barred=True, loose_swaps=loose)
        model.hold_violation(held)
        model.hold(model.hop_row, float(hops))
        outcome = model.program.minimise(model.cost(), search.clock, gap=1e-2)
        if outcome.values is None:
            return
        search.try_point(model, outcome.values)
        if search.reaches(held, hops) or (loose and burn(search, held, hops, model, outcome.values)):
            return


def _any_plan(search: Search, held: float) -> None:
    """Some plan that holds the violation, cheap but with no eye to its hops: what is answered if time runs out."""
    model = search.model(loose_swaps=True)
    model.hold_violation(held)
    outcome = model.program.minimise(model.cost(), search.clock, relaxed=True)
    if outcome.values is not None:
        search.attempt([model.arcs[index] for index in model.flowing(outcome.values)])


def _close_in_time(search: Search, held: float) -> bool:
    """Close the gap in a share of the time left, so that the least cost at the hops reached is sought too."""
    whole = search.clock
    search.clock = whole.part(CLOSING) if search.reaches(held, ANY) else whole
    try:
        return _close(search, held)
    finally:
        search.clock = whole


def _close(search: Search, held: float) -> bool:
    """Close the gap between the best plan's hops and the bound; False when the violation cannot be held at all."""
    for _ in range(RETRIES):
        merged, members = coarsen(search.network.arcs, swaps=False)
        model = search.model(merged)
        model.hold_violation(held)
        have = search.best.reached.hops if search.reaches(held, ANY) else None
        if have is not None:
            model.hold(model.hop_row, have - 1.0)
            count_by_chain(model, have - 1)
        outcome = model.program.minimise(model.hops(), search.clock, unit_objective=True)
        if outcome.kind == "infeasible":
            search.bounds.hops = have if have is not None else search.bounds.hops
            return have is not None
        if outcome.bound > 0:
            search.bounds.hops = max(search.bounds.hops, ceil(outcome.bound - 1e-5))
        if outcome.values is None:
            return True
        known = (search.learnt, len(search.burnt | search.strict))
        wanted = round(outcome.objective)
        _carry(search, held, wanted, _chosen(model, outcome.values, members), exactly=True)
        if search.reaches(held, search.bounds.hops) or search.clock.over:
            return True
        search.strict |= search.burnt
        if not search.reaches(held, wanted) and known == (search.learnt, len(search.strict)):
            return _close_unmerged(search, held)
    return True


def _close_unmerged(search: Search, held: float) -> bool:
    """The same over every single lane, once."""
    model = search.model()
    model.hold_violation(held)
    outcome = model.program.minimise(model.hops(), search.clock, unit_objective=True)
    if outcome.kind != "infeasible" and outcome.bound > 0:
        search.bounds.hops = max(search.bounds.hops, ceil(outcome.bound - 1e-5))
    if outcome.values is not None:
        used = set(model.used(outcome.values))
        arcs = [arc for index, arc in enumerate(model.arcs) if not arc.bridge or index in used]
        _carry(search, held, round(outcome.objective), arcs, exactly=False)
    return outcome.kind != "infeasible"


def count_hops(search: Search, held: float) -> int:
    """A proven lower bound on the hops of any plan with at most this violation (0 when time is up)."""
    if search.clock.over:
        return 0
    model = search.model()
    model.hold_violation(held)
    outcome = model.program.minimise(model.hops(), search.clock, unit_objective=True)
    return max(ceil(outcome.bound - 1e-5), 0) if 0 < outcome.bound < 1e300 else 0
