"""Sets of legs that wait for each other: none of them could be the first to depart.

Whatever the order, one leg of a set departs before the others, paid from holdings and from deliveries of legs outside the
set. A plan in which no leg of the set could do so cannot be carried out, and this can be told to the program as a valid cut.
"""

from collections.abc import Mapping
from itertools import islice

import networkx as nx

from coordinator.planner.instance import Instance

LONGEST = 8
MANY = 200


def find_circles(instance: Instance, moves: Mapping[str, tuple[int, int]]) -> list[tuple[str, ...]]:
    """Lane sets among `moves` (lane id to gives, takes) of which none can go first; shortest first, empty when none is found."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for name in sorted(moves):
        graph.add_edge(instance.lane[name].source, instance.lane[name].target)
    found: list[tuple[str, ...]] = []
    for ring in islice(nx.simple_cycles(graph, length_bound=LONGEST), MANY):
        edges = set(zip(ring, [*ring[1:], ring[0]]))
        lanes = tuple(sorted(name for name in moves if (instance.lane[name].source, instance.lane[name].target) in edges))
        if _nobody_first(instance, moves, lanes):
            found.append(lanes)
    if not found:
        for part in nx.strongly_connected_components(graph):
            lanes = tuple(sorted(n for n in moves if instance.lane[n].source in part and instance.lane[n].target in part))
            if len(part) > 1 and _nobody_first(instance, moves, lanes):
                found.append(lanes)
    return sorted(set(found), key=lambda lanes: (len(lanes), lanes))


def _nobody_first(instance: Instance, moves: Mapping[str, tuple[int, int]], lanes: tuple[str, ...]) -> bool:
    for name in lanes:
        source = instance.lane[name].source
        purse = instance.held(source) + sum(
            takes for other, (_, takes) in moves.items() if other not in lanes and instance.lane[other].target == source
        )
        if moves[name][0] <= purse:
            return False
    return True
