"""A coarser network for counting hops: parallel bridge lanes merged into one arc, swap schedules reduced to two lines.

Everything is relaxed, nothing cut: a merged arc delivers at any rate between its best and its worst lane, and may be used as
often as it has lanes. So the fewest hops here are a lower bound on the fewest hops of any plan.
"""

from collections.abc import Sequence

from coordinator.planner.network import Arc


def coarsen(arcs: Sequence[Arc], *, swaps: bool = True) -> tuple[list[Arc], list[list[Arc]]]:
    """Merged arcs, and for each the arcs it stands for; without `swaps` only the bridges are coarsened."""
    groups: dict[tuple[int, int, bool, str], list[Arc]] = {}
    for arc in arcs:
        alone = "" if arc.bridge and len(arc.widths) == 1 else arc.lane.id
        groups.setdefault((arc.source, arc.target, arc.bridge, alone), []).append(arc)
    members = list(groups.values())
    return [_merged(group) if swaps or group[0].bridge else group[0] for group in members], members


def _merged(group: Sequence[Arc]) -> Arc:
    lead = max(group, key=lambda arc: (arc.most, arc.lane.id))
    best = max(arc.rates[0] for arc in group)
    worst = min(arc.delivers / arc.most for arc in group)
    return Arc(
        lane=lead.lane,
        source=lead.source,
        target=lead.target,
        least=min(arc.least for arc in group),
        most=lead.most,
        widths=(lead.most,),
        rates=(best,),
        fixed=min(arc.fixed for arc in group),
        source_unit=lead.source_unit,
        target_unit=lead.target_unit,
        spread=best - worst,
        times=1 if lead.most >= lead.there * (1 - 1e-12) else len(group),
        there=lead.there,
        stands_for=len(group),
    )
