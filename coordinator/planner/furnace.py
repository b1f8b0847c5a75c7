"""Plans that save a hop by losing value inside a chain: swaps in one direction only, so that no leg waits in a circle.

A chain above its cap needs an outbound leg, or loses the excess to fees and impact of its own swaps. Hops come before cost,
so that counts. The relaxation loses value more easily than real legs can (worse pieces of a schedule first, value that
circulates), so its point is rarely a plan. Here the tokens of such a chain are put in a line, swaps go down the line alone
and fill their pieces in order: what the program finds can be carried out. It restricts plans, never bounds.
"""

from collections.abc import Sequence

from coordinator.planner.model import FlowModel
from coordinator.planner.network import Arc
from coordinator.planner.program import Vector
from coordinator.planner.state import Search

GAP = 0.2
NODES = 100


def burn(search: Search, held: float, hops: int, model: FlowModel, values: Vector) -> bool:
    """Try to make a plan with at most these hops of a point whose swaps lose more than they can; whether there is one now."""
    chain = [token.chain for token in search.instance.tokens]
    disordered = model.disordered(values)
    hot = {chain[arc.source] for arc in model.arcs if arc.lane.id in disordered}
    used = set(model.used(values))
    pool = [arc for index, arc in enumerate(model.arcs) if not arc.bridge or index in used]
    for line in _lines(search, model, values):
        arcs = [arc for arc in pool if arc.bridge or chain[arc.source] not in hot or line[arc.source] < line[arc.target]]
        if search.clock.over:
            return False
        _try(search, held, hops, arcs, {arc.lane.id for arc in arcs if not arc.bridge and chain[arc.source] in hot})
        if search.reaches(held, hops):
            return True
    return False


def _lines(search: Search, model: FlowModel, values: Vector) -> list[list[tuple[float, int]]]:
    """Places of the tokens in a line: those with most to give first; by what is held, then by what flows."""
    held = search.network.held
    net = list(held)
    for index, arc in enumerate(model.arcs):
        if arc.bridge:
            given = model.given(values, index)
            net[arc.target] += given
            net[arc.source] -= given
    swapped = [0.0] * len(held)
    for index, arc in enumerate(model.arcs):
        if not arc.bridge:
            given = model.given(values, index)
            swapped[arc.source] -= given
            swapped[arc.target] += given
    return [[(-value, place) for place, value in enumerate(net)], [(value, place) for place, value in enumerate(swapped)]]


def _try(search: Search, held: float, hops: int, arcs: Sequence[Arc], ordered: set[str]) -> None:
    before = search.strict
    search.strict = before | ordered
    try:
        model = search.model(arcs, barred=True, loose_swaps=True)
    finally:
        search.strict = before
    model.hold_violation(held)
    model.hold(model.hop_row, float(hops))
    outcome = model.program.minimise(model.cost(), search.clock, gap=GAP, nodes=NODES)
    if outcome.values is not None:
        search.try_point(model, outcome.values)
