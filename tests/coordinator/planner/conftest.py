"""Small planning instances for the planner's tests, built from short descriptions."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from coordinator.planner.answer import Answer
from coordinator.planner.form import read_instance
from coordinator.planner.solve import solve
from coordinator.planner.verify import verify

Json = dict[str, Any]


class Problem:
    """Builds an instance document; tokens are named `ASSET@chain` and hold whole-token amounts of six decimals by default."""

    def __init__(self) -> None:
        self.document: Json = {
            "version": 1,
            "numeraire": "USD",
            "tokens": [],
            "holdings": {},
            "arriving": {},
            "targets": {"assets": {}, "chains": {}, "tokens": {}},
            "lanes": [],
            "limits": {},
        }
        self.numbers = itertools.count(1)

    def token(self, name: str, held: int = 0, *, decimals: int = 6, price: str = "1") -> "Problem":
        asset, chain = name.split("@")
        self.document["tokens"].append({"id": name, "asset": asset, "chain": chain, "decimals": decimals, "price": price})
        self.document["holdings"][name] = str(held)
        return self

    def lane(self, source: str, target: str, *, rate: str = "1", most: int = 10**15, least: int = 1, **more: Any) -> "Problem":
        kind = "swap" if source.split("@")[1] == target.split("@")[1] else "bridge"
        lane = {
            "id": f"l{next(self.numbers)}",
            "rail": "rail",
            "kind": kind,
            "source": source,
            "target": target,
            "min": str(least),
            "max": str(most),
            "fixed": "0",
            "schedule": [{"up_to": str(most), "rate": rate}],
            "latency_s": 60,
        }
        self.document["lanes"].append({**lane, **more})
        return self

    def keep(self, token: str, low: int | None, high: int | None = None) -> "Problem":
        edges = {"low_units": low, "high_units": high}
        self.document["targets"]["tokens"][token] = {name: None if edge is None else str(edge) for name, edge in edges.items()}
        return self

    def share(self, group: str, name: str, low: str | None, high: str | None = None) -> "Problem":
        self.document["targets"][group][name] = {"low": low, "high": high}
        return self

    def limit(self, **limits: Any) -> "Problem":
        self.document["limits"].update(limits)
        return self

    def solved(self) -> Answer:
        """Solve and insist that the independent verifier accepts the answer."""
        answer = solve(read_instance(self.document))
        assert verify(self.document, json.loads(answer.text())) == []
        return answer


@pytest.fixture
def problem() -> Problem:
    return Problem()


@pytest.fixture
def problems() -> Callable[[], Problem]:
    return Problem
