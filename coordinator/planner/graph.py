"""The lane graph for people: tokens as nodes, lanes as edges, with the flow of a plan on them."""

import networkx as nx

from coordinator.planner.answer import Answer
from coordinator.planner.instance import Instance


def lane_graph(instance: Instance, answer: Answer | None = None) -> "nx.MultiDiGraph[str]":
    """Nodes are token ids (`asset`, `chain`, `held`, `final`), edges lanes by id (`rail`, `kind`, `gives`, `takes`; 0 when idle)."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(numeraire=instance.numeraire)
    final = answer.final if answer is not None else {}
    for token in instance.tokens:
        held = instance.start(token.id)
        graph.add_node(token.id, asset=token.asset, chain=token.chain, held=held, final=final.get(token.id, held))
    legs = {leg.lane: leg for leg in answer.legs} if answer is not None else {}
    for lane in instance.lanes:
        leg = legs.get(lane.id)
        flow = {"gives": leg.gives if leg else 0, "takes": leg.takes if leg else 0}
        graph.add_edge(lane.source, lane.target, key=lane.id, rail=lane.rail, kind=lane.kind, latency_s=lane.latency_s, **flow)
    return graph


def stranded(instance: Instance) -> set[str]:
    """Tokens no held value can reach over the lanes."""
    graph = lane_graph(instance)
    seeds = {token.id for token in instance.tokens if instance.held(token.id) > 0}
    reached = set(seeds)
    for seed in sorted(seeds):
        reached |= nx.descendants(graph, seed)
    return set(graph) - reached
