"""The planner's entry: solve an instance, and say how good the answer is proven to be."""

from fractions import Fraction
from time import monotonic

from coordinator.planner.answer import Answer, Status, Unmet
from coordinator.planner.explain import explain
from coordinator.planner.instance import Instance
from coordinator.planner.order import Listing
from coordinator.planner.program import Clock
from coordinator.planner.replay import misses, replay
from coordinator.planner.search import run
from coordinator.planner.state import Bounds, Plan, Search

ZERO = Fraction(0)


def solve(instance: Instance, deadline: float | None = None) -> Answer:
    """Plan an instance. `deadline` is seconds of wall clock; without it the solve runs until every goal is proven.

    The answer always carries a plan (perhaps without legs) and bounds that hold for every plan.
    """
    began = monotonic()
    nothing = Plan(replay(instance, {}), Listing(dict(instance.holdings)))
    search = Search(instance, Clock.start(deadline), nothing)
    refused = _refused(instance)
    if refused:
        search.bounds = Bounds(ZERO, 0, ZERO)
    else:
        run(search)
    return _answer(search, refused, began)


def _answer(search: Search, refused: tuple[Unmet, ...], began: float) -> Answer:
    plan, bounds = search.best, search.bounds
    reached = plan.reached
    violation = reached.violation if reached.violation - bounds.violation <= reached.violation / 10**6 else bounds.violation
    hops = min(bounds.hops, reached.hops)
    fixed_only = ZERO if all(arc.rates[0] <= 1.0 for arc in search.network.arcs) else -search.instance.nav * 10**6
    cost = min(fixed_only if bounds.cost is None or reached.hops > bounds.cost_hops else bounds.cost, reached.cost)
    status: Status = "infeasible" if refused else "partial" if reached.violation > 0 else "feasible"
    if status == "feasible" and hops == reached.hops and reached.cost - cost <= abs(reached.cost) / 10_000:
        status = "optimal"
    unmet = refused or (_unmet(search) if reached.violation > 0 else ())
    return Answer(
        status=status,
        violation=reached.violation,
        violation_bound=violation if violation == reached.violation else _cut(violation),
        hops=reached.hops,
        hops_bound=hops,
        cost=reached.cost,
        cost_bound=_cut(cost),
        legs=tuple(plan.listing.legs),
        final=reached.final,
        unmet=unmet,
        makespan_s=plan.listing.makespan,
        seconds=monotonic() - began,
    )


def _unmet(search: Search) -> tuple[Unmet, ...]:
    """Why each band is left; when time ran out, that alone is known."""
    reached = search.best.reached
    if search.clock.over:
        why = "the time given ran out before a plan that meets it was found, or proven not to exist"
        return tuple(
            Unmet(band.target, miss, why) for band, miss in zip(search.instance.bands, misses(search.instance, reached.final)) if miss > 0
        )
    return explain(search.network, reached)


def _cut(value: Fraction) -> Fraction:
    """A bound with few digits: rounded down to twelve decimals."""
    return Fraction(value.numerator * 10**12 // value.denominator, 10**12)


def _refused(instance: Instance) -> tuple[Unmet, ...]:
    """Limits that not even the empty plan keeps."""
    limits = instance.limits
    found = {"turnover": limits.turnover, "cost": limits.cost, "legs": limits.legs, "deadline_s": limits.deadline_s}
    return tuple(
        Unmet(f"limits/{name}", -Fraction(value), f"the limit is {value}, below zero: not even a plan without legs keeps it")
        for name, value in found.items()
        if value is not None and value < 0
    )
