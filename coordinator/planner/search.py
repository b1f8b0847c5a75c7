"""The search for a plan: strict goals one after the other, each proven on a relaxation, then settled in exact integers.

Least violation, fewest hops at that violation, least cost at those hops. A minimum over the relaxation is a bound for every
integer plan. When a plan falls short of what the relaxation promised, the relaxation is tightened by what that plan showed.
"""

from fractions import Fraction

from coordinator.planner.cheapest import GAP, cheapest
from coordinator.planner.hops import count_hops, fewest_hops
from coordinator.planner.state import SLACK, ZERO, Bounds, Search

ROUNDS = 8
RETRIES = 12


def run(search: Search) -> None:
    """Work through the goals; stops early, with what it has, when the clock runs out."""
    if _nothing_to_do(search):
        return
    held = 0.0
    for number in range(ROUNDS):
        held = _round(search)
        if not search.burnt or search.tight(held) or search.clock.over:
            break
        last = number >= ROUNDS - 2
        search.strict |= {arc.lane.id for arc in search.network.arcs if len(arc.widths) > 1} if last else search.burnt
    if search.best.reached.violation > 0 and held <= 0.0 and not search.clock.over:
        _with_room(search)
    _confirm_hops(search, held)


def _nothing_to_do(search: Search) -> bool:
    """No plan can beat doing nothing when all bands are met and no lane pays."""
    idle = search.best.reached.violation == 0
    pays = any(arc.rates[0] > 1.0 for arc in search.network.arcs)
    if (idle and not pays) or not search.network.arcs:
        search.bounds = Bounds(search.best.reached.violation, 0, ZERO)
        return True
    return False


def _round(search: Search) -> float:
    """All goals once, with what is known so far; returns the violation (scaled) that plans were held to."""
    search.burnt = frozenset()
    search.tried = set()
    before = search.held
    held = search.held = _least_violation(search)
    if held > before:
        search.bounds.hops = 0
    hops = fewest_hops(search, held)
    if hops is None and held <= 0.0 and not search.clock.over:
        held = search.held = _prove_violation(search) or SLACK
        search.bounds.hops = 0
        hops = fewest_hops(search, held)
    if hops is not None and not search.clock.over:
        cheapest(search, held, hops)
    return held


def _least_violation(search: Search) -> float:
    """Violation (scaled) that later stages may not exceed; sets the bound."""
    model = search.model()
    relaxed = model.program.minimise(model.violation(), search.clock, relaxed=True)
    if relaxed.kind == "optimal" and relaxed.objective <= SLACK / 100:
        return 0.0
    return _prove_violation(search)


def _prove_violation(search: Search) -> float:
    held = 0.0
    for _ in range(RETRIES):
        known = len(search.circles)
        held = _prove_violation_once(search)
        if known == len(search.circles):
            break
    return held


def _prove_violation_once(search: Search) -> float:
    model = search.model()
    outcome = model.program.minimise(model.violation(), search.clock, gap=1e-9)
    floor = Fraction(max(outcome.bound - SLACK, 0.0)) if outcome.bound < 1e300 else ZERO
    search.bounds.violation = floor / search.network.factor
    if outcome.values is None:
        return search.violation
    search.try_point(model, outcome.values)
    return max(outcome.objective, 0.0) + SLACK if outcome.objective > SLACK else 0.0


def _with_room(search: Search) -> None:
    """Dust is left at a band's edge: look for a plan that lands clearly inside, with more hops if it must."""
    model = search.model(barred=True, inset=True)
    model.hold_violation(0.0)
    outcome = model.program.minimise(model.hops(), search.clock, unit_objective=True)
    if outcome.values is None:
        return
    search.try_point(model, outcome.values)
    model.hold(model.hop_row, round(outcome.objective) + 0.0)
    outcome = model.program.minimise(model.cost(), search.clock, gap=GAP)
    if outcome.values is not None:
        search.try_point(model, outcome.values)


def _confirm_hops(search: Search, held: float) -> None:
    """The hop bound must hold for any plan with the violation reached, also when that lies above the stage's."""
    if search.violation <= held or search.bounds.hops == 0:
        return
    search.bounds.hops = min(search.bounds.hops, count_hops(search, search.violation * (1 + 1e-6) + 1e-9))
    search.bounds.cost = None
