"""Why a demand stays unmet, in words a treasurer can act on: the missing asset, lane, capacity or limit that stops it."""

from dataclasses import replace
from fractions import Fraction

from coordinator.planner.answer import Unmet, decimal
from coordinator.planner.instance import Band, Instance, Lane, Limits
from coordinator.planner.model import FlowModel
from coordinator.planner.network import Network, draw_network
from coordinator.planner.program import Clock
from coordinator.planner.replay import Reached, misses

ZERO = Fraction(0)


def explain(network: Network, reached: Reached) -> tuple[Unmet, ...]:
    """One entry for each band the plan leaves, largest miss first; `short` is the value outside the band."""
    instance = network.instance
    freeing = _freeing_limits(network, reached)
    found: list[Unmet] = []
    for band, miss in zip(instance.bands, misses(instance, reached.final)):
        if miss > 0:
            found.append(Unmet(band.target, miss, _why(network, reached, band, freeing)))
    return tuple(sorted(found, key=lambda one: (-one.short, one.target)))


def _why(network: Network, reached: Reached, band: Band, freeing: list[str]) -> str:
    instance = network.instance
    value = _value(instance, reached, band)
    if band.low is not None and band.high is not None and band.low > band.high:
        return f"low ({_shown(band.low)}) lies above high ({_shown(band.high)}): no holding satisfies both"
    if not band.tokens:
        return f"no token of {band.name} is listed, so nothing can be held there"
    below = band.short(value) > 0
    edge = (band.low if below else band.high) or ZERO
    where = f"ends at {_shown(value)}, {'needs at least' if below else 'may hold at most'} {_shown(edge)}"
    return f"{where}: {_obstacle(network, band, below=below, miss=band.miss(value), freeing=freeing)}"


def _obstacle(network: Network, band: Band, *, below: bool, miss: Fraction, freeing: list[str]) -> str:
    instance = network.instance
    members = set(band.tokens)
    side = "into" if below else "out of"
    crossing = [lane for lane in instance.lanes if _crosses(lane, members, below)]
    if not crossing:
        return f"no lane leads {side} it"
    usable = {arc.lane.id for arc in network.arcs}
    open_lanes = [lane for lane in crossing if lane.id in usable]
    if not open_lanes:
        return f"none of its {len(crossing)} lanes {side} it can be used: {_closed(instance, crossing[0])}"
    capacity = sum((lane.most * instance.unit[lane.source] for lane in open_lanes), ZERO)
    now = sum((instance.start(token) * instance.unit[token] for token in band.tokens), ZERO)
    if capacity < band.miss(now):
        names = ", ".join(lane.id for lane in open_lanes[:4])
        return f"its lanes {side} it ({names}) carry at most {_shown(capacity)}"
    if freeing:
        return "stopped by " + " and ".join(freeing)
    least = min(lane.least * instance.unit[lane.source] for lane in open_lanes)
    if least > miss:
        return f"the smallest leg {side} it moves {_shown(least)}, more than the {_shown(miss)} missing"
    return "what could move is needed by other bands, or cannot reach it over the lanes given"


def _crosses(lane: Lane, members: set[str], below: bool) -> bool:
    inner, outer = (lane.target, lane.source) if below else (lane.source, lane.target)
    return inner in members and outer not in members


def _closed(instance: Instance, lane: Lane) -> str:
    deadline = instance.limits.deadline_s
    if lane.least > lane.most:
        return f"{lane.id} needs at least {lane.least} units and carries at most {lane.most}"
    if deadline is not None and lane.latency_s > deadline:
        return f"{lane.id} takes {lane.latency_s} s, longer than the deadline of {deadline} s"
    return f"{lane.id} needs at least {lane.least} units of {lane.source}, which cannot be brought together there"


def _freeing_limits(network: Network, reached: Reached) -> list[str]:
    """Limits without which (each alone) less would stay unmet, by the relaxed problem."""
    limits = network.instance.limits
    given = {"turnover": limits.turnover, "cost": limits.cost, "legs": limits.legs, "deadline_s": limits.deadline_s}
    now = network.scaled(reached.violation)
    freeing: list[str] = []
    for name, value in given.items():
        if value is None:
            continue
        freed = _relaxed_violation(replace(network.instance, limits=_without(limits, name)))
        if freed < now * (1 - 1e-6) - 1e-9:
            shown = decimal(Fraction(value))
            left = decimal(Fraction(round(freed / float(network.factor), 2)))
            freeing.append(f"the limit {name} = {shown} (without it about {left} would stay unmet)")
    return freeing


def _without(limits: Limits, name: str) -> Limits:
    return Limits(
        turnover=None if name == "turnover" else limits.turnover,
        cost=None if name == "cost" else limits.cost,
        legs=None if name == "legs" else limits.legs,
        deadline_s=None if name == "deadline_s" else limits.deadline_s,
    )


def _relaxed_violation(instance: Instance) -> float:
    model = FlowModel(draw_network(instance), draw_network(instance).arcs)
    return model.program.minimise(model.violation(), Clock(None), relaxed=True).objective


def _value(instance: Instance, reached: Reached, band: Band) -> Fraction:
    return sum((reached.final[token] * instance.unit[token] for token in band.tokens), ZERO)


def _shown(value: Fraction) -> str:
    """A value rounded to cents for reading (small ones keep four significant digits)."""
    return f"{float(value):,.2f}" if abs(value) >= 1 or value == 0 else f"{float(value):.4g}"
