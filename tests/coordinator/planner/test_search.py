"""Random small instances against brute force: every order of every set of lanes, each an exact linear program."""

import itertools
import json
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from coordinator.planner.form import read_instance
from coordinator.planner.solve import solve
from coordinator.planner.verify import verify

Json = dict[str, Any]
TOKENS = ("U@a", "V@a", "U@b", "V@b")
QUIET = settings(deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.too_slow], derandomize=True)
DUST = 2e-3


@st.composite
def instances(draw: st.DrawFn, lanes: int = 3, pieces: int = 2) -> Json:
    """Up to four tokens on two chains, a few lanes with one or two pieces, bands and limits; values of about 100."""
    prices = {name: draw(st.sampled_from(["1", "2.5", "0.01"])) for name in TOKENS}
    tokens = [{"id": n, "asset": n[0], "chain": n[2], "decimals": 6, "price": prices[n]} for n in TOKENS]
    held = {name: str(int(draw(st.integers(0, 100)) * 10**6 / float(prices[name]))) for name in TOKENS}
    edges = st.sampled_from([None, "0", "0.1", "0.25", "0.4", "0.6", "0.9"])
    targets: Json = {"assets": {}, "chains": {}, "tokens": {}}
    for group, names in (("assets", "UV"), ("chains", "ab")):
        for name in names:
            low, high = draw(edges), draw(edges)
            if low is not None and high is not None and float(low) > float(high):
                low, high = high, low
            targets[group][name] = {"low": low, "high": high}
    limits: Json = {
        "turnover": draw(st.sampled_from([None, None, "60"])),
        "cost": draw(st.sampled_from([None, None, "3"])),
        "legs": draw(st.sampled_from([None, None, 1, 2])),
    }
    made = [_lane(draw, number, prices, pieces) for number in range(draw(st.integers(0, lanes)))]
    return {"version": 1, "tokens": tokens, "holdings": held, "targets": targets, "lanes": made, "limits": limits}


def _lane(draw: st.DrawFn, number: int, prices: dict[str, str], pieces: int) -> Json:
    source, target = draw(st.sampled_from(list(itertools.permutations(TOKENS, 2))))
    unit = 10**6 / float(prices[source])
    count = draw(st.integers(1, pieces))
    widths = [draw(st.integers(5, 80)) for _ in range(count)]
    rates = sorted((draw(st.sampled_from(["1", "0.999", "0.98", "0.9", "0.5"])) for _ in range(count)), reverse=True)
    schedule = [{"up_to": str(int(sum(widths[: i + 1]) * unit)), "rate": rate} for i, rate in enumerate(rates)]
    return {
        "id": f"l{number}",
        "rail": draw(st.sampled_from(["p", "q"])),
        "kind": "swap" if source[2] == target[2] else "bridge",
        "source": source,
        "target": target,
        "min": str(int(draw(st.sampled_from([0, 1, 20])) * unit)),
        "max": str(int(draw(st.sampled_from([30, 1000])) * unit)),
        "fixed": draw(st.sampled_from(["0", "0.5", "2"])),
        "schedule": schedule,
        "latency_s": 10,
    }


class Sequence:
    """The linear program of one order of lanes in which each lane ends in a given piece of its schedule."""

    def __init__(self, document: Json, lanes: list[Json], ends: tuple[int, ...]) -> None:
        self.document, self.lanes, self.ends = document, lanes, ends
        self.worth = {t["id"]: float(t["price"]) / 10 ** t["decimals"] for t in document["tokens"]}
        self.start = {name: int(units) * self.worth[name] for name, units in document["holdings"].items()}
        self.matrix: list[np.ndarray[Any, Any]] = []
        self.right: list[float] = []
        self.bands = [(g, n, b) for g in ("assets", "chains") for n, b in document["targets"][g].items()]
        self.width = len(lanes) + 2 * len(self.bands)

    def least_violation(self, tolerance: float = 0.0) -> float:
        """Minimum violation with bands shrunk by `tolerance`; infinity when the order cannot be played."""
        bounds = [self._range(lane, end) for lane, end in zip(self.lanes, self.ends)]
        if any(low > high for low, high in bounds):
            return np.inf
        self.matrix, self.right = [], []
        for position, lane in enumerate(self.lanes):
            row, value = self._balance(lane["source"], position + 1)
            self._below(-row, value)
        self._limits()
        for number, (group, name, band) in enumerate(self.bands):
            row, value = self._band(group, name)
            nav = sum(self.start.values())
            for edge, sign, column in ((band["low"], 1, 0), (band["high"], -1, 1)):
                if edge is not None:
                    slack = sign * row
                    slack[len(self.lanes) + 2 * number + column] += 1
                    self._below(-slack, sign * (value - float(edge) * nav) - tolerance)
        cost = np.concatenate([np.zeros(len(self.lanes)), np.ones(2 * len(self.bands))])
        box = bounds + [(0.0, None)] * (2 * len(self.bands))
        found = linprog(cost, A_ub=np.array(self.matrix) if self.matrix else None, b_ub=self.right or None, bounds=box)
        return float(found.fun) if found.status == 0 else np.inf

    def _below(self, row: "np.ndarray[Any, Any]", value: float) -> None:
        self.matrix.append(row)
        self.right.append(value)

    def _range(self, lane: Json, end: int) -> tuple[float, float]:
        unit = self.worth[lane["source"]]
        start = int(lane["schedule"][end - 1]["up_to"]) if end else 0
        top = min(int(lane["max"]), int(lane["schedule"][end]["up_to"]))
        return max(int(lane["min"]), start, 1) * unit, top * unit

    def _taken(self, lane: Json, end: int) -> tuple[float, float]:
        """Delivered value is rate * given + offset within the piece."""
        unit, offset, edge = self.worth[lane["source"]], 0.0, 0
        rate = float(lane["schedule"][end]["rate"])
        for piece in lane["schedule"][:end]:
            offset += (int(piece["up_to"]) - edge) * unit * (float(piece["rate"]) - rate)
            edge = int(piece["up_to"])
        return rate, offset

    def _balance(self, token: str, upto: int) -> tuple["np.ndarray[Any, Any]", float]:
        row, value = np.zeros(self.width), self.start[token]
        for position in range(upto):
            lane = self.lanes[position]
            if lane["source"] == token:
                row[position] -= 1
            if lane["target"] == token and position < upto - (token == self.lanes[upto - 1]["source"]):
                rate, offset = self._taken(lane, self.ends[position])
                row[position] += rate
                value += offset
        return row, value

    def _band(self, group: str, name: str) -> tuple["np.ndarray[Any, Any]", float]:
        row, value = np.zeros(self.width), 0.0
        for token in self.document["tokens"]:
            if token["asset" if group == "assets" else "chain"] == name:
                value += self.start[token["id"]]
                for position, lane in enumerate(self.lanes):
                    rate, offset = self._taken(lane, self.ends[position])
                    row[position] += (lane["target"] == token["id"]) * rate - (lane["source"] == token["id"])
                    value += (lane["target"] == token["id"]) * offset
        return row, value

    def _limits(self) -> None:
        limits = self.document["limits"]
        if limits["turnover"] is not None:
            row = np.zeros(self.width)
            row[: len(self.lanes)] = 1
            self._below(row, float(limits["turnover"]))
        if limits["cost"] is not None:
            row, spare = np.zeros(self.width), float(limits["cost"])
            for position, lane in enumerate(self.lanes):
                rate, offset = self._taken(lane, self.ends[position])
                row[position] = 1 - rate
                spare += offset - float(lane["fixed"])
            self._below(row, spare)


def brute_force(document: Json) -> list[tuple[float, float, int]]:
    """(least violation, the same with bands shrunk by dust, hops) for every order of every allowed set of lanes."""
    results: list[tuple[float, float, int]] = []
    most = document["limits"]["legs"]
    for count in range(len(document["lanes"]) + 1 if most is None else min(most, len(document["lanes"])) + 1):
        for order in itertools.permutations(document["lanes"], count):
            if _opposed(order):
                continue
            for ends in itertools.product(*(range(len(lane["schedule"])) for lane in order)):
                sequence = Sequence(document, list(order), ends)
                hops = sum(lane["kind"] == "bridge" for lane in order)
                results.append((sequence.least_violation(), sequence.least_violation(DUST), hops))
    return results


def _opposed(order: tuple[Json, ...]) -> bool:
    ways = {(lane["rail"], lane["source"], lane["target"]) for lane in order if lane["kind"] == "swap"}
    return any((rail, target, source) in ways for rail, source, target in ways)


@given(instances())
@settings(QUIET, max_examples=60)
def test_search__small_instance__matches_brute_force(document: Json) -> None:
    answer = solve(read_instance(document))
    assert verify(document, json.loads(answer.text())) == []
    results = brute_force(document)
    least = min(violation for violation, _, _ in results)
    reached, bound = float(answer.violation), float(answer.violation_bound)
    assert reached <= least + 8 * DUST
    assert bound <= least + 1e-6
    assert answer.hops_bound <= min((hops for violation, _, hops in results if violation <= reached + 1e-9), default=99)
    inside = [hops for _, shrunk, hops in results if shrunk <= reached]
    if reached == 0 and inside:
        assert answer.hops <= min(inside)


@given(instances(lanes=9, pieces=3))
@settings(QUIET, max_examples=50)
def test_search__larger_instance__is_accepted_and_repeats_byte_for_byte(document: Json) -> None:
    answer = solve(read_instance(document))
    assert verify(document, json.loads(answer.text())) == []
    assert solve(read_instance(document)).plan_text() == answer.plan_text()
