"""The lane graph for people: tokens as nodes, lanes as edges, with the flow of a plan on them."""

from pathlib import Path

import networkx as nx

from coordinator.planner.answer import Answer
from coordinator.planner.instance import Instance


def lane_graph(instance: Instance, answer: Answer | None = None) -> "nx.MultiDiGraph[str]":
    """Nodes are token ids (`asset`, `chain`, `held`, `final`), edges lanes by id (`rail`, `kind`, `latency_s`, `gives`, `takes`).

    Amounts are base units as integer texts: they must survive programs whose integers end at 64 bits.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(numeraire=instance.numeraire)
    final = answer.final if answer is not None else {}
    for token in instance.tokens:
        held = instance.start(token.id)
        graph.add_node(token.id, asset=token.asset, chain=token.chain, held=str(held), final=str(final.get(token.id, held)))
    legs = {leg.lane: leg for leg in answer.legs} if answer is not None else {}
    for lane in instance.lanes:
        leg = legs.get(lane.id)
        flow = {"gives": str(leg.gives if leg else 0), "takes": str(leg.takes if leg else 0)}
        graph.add_edge(lane.source, lane.target, key=lane.id, rail=lane.rail, kind=lane.kind, latency_s=lane.latency_s, **flow)
    return graph


def write_graph(instance: Instance, answer: Answer, path: Path) -> None:
    """The graph as GraphML (graphml.graphdrawing.org), which Gephi, yEd and networkx open."""
    nx.write_graphml(lane_graph(instance, answer), path)
