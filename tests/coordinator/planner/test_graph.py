"""The lane graph of a plan, as a file that other programs read back."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx

from coordinator.planner.command import run_solve

BIG = 3 * 10**25  # base units of an 18-decimal token, far above 64 bits

INSTANCE = {
    "version": 1,
    "numeraire": "USD",
    "tokens": [{"id": f"{chain}/dai", "asset": "DAI", "chain": chain, "decimals": 18, "price": "1"} for chain in "AB"],
    "holdings": {"A/dai": str(BIG)},
    "targets": {"chains": {"B": {"low": "0.4", "high": None}}},
    "lanes": [
        {
            "id": name,
            "rail": "hop",
            "kind": "bridge",
            "source": f"{source}/dai",
            "target": f"{target}/dai",
            "min": "1",
            "max": str(BIG),
            "fixed": "1",
            "schedule": [{"up_to": str(BIG), "rate": "1"}],
            "latency_s": 9,
        }
        for name, source, target in (("there", "A", "B"), ("back", "B", "A"))
    ],
    "limits": {},
}


def test_run_solve__graph_asked_for__flows_are_read_back_exactly(tmp_path: Path) -> None:
    instance, drawn = tmp_path / "instance.json", tmp_path / "plan.graphml"
    instance.write_text(json.dumps(INSTANCE), encoding="utf-8")
    answer = run_solve(instance, graph=drawn)
    graph = nx.read_graphml(drawn, force_multigraph=True)
    flows = {data.get("id", key): data for _, _, key, data in graph.edges(keys=True, data=True)}
    assert [leg.lane for leg in answer.legs] == ["there"]
    assert int(flows["there"]["gives"]) == answer.legs[0].gives > 10**25
    assert flows["back"]["gives"] == "0"
    assert int(graph.nodes["A/dai"]["held"]) == BIG
    assert int(graph.nodes["B/dai"]["final"]) == answer.final["B/dai"]
