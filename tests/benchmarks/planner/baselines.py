"""Baselines the planner is measured against: what production rebalancers do, and the two plain ways to write the exact program.

The greedy ones work on one asset: `balances` and `weights` by chain, in base units, all divisions floor, ties by position.
They return transfers as (source, target, amount).
"""

from collections.abc import Sequence
from typing import Any

import highspy
import numpy as np

Transfer = tuple[int, int, int]


def two_pointer_greedy(balances: Sequence[int], weights: Sequence[int], tolerance: int) -> list[Transfer]:
    """Chains below their tolerance (percent) are refilled to the full target, largest surplus to largest deficit."""
    surplus, deficit = _imbalances(balances, weights, tolerance)
    sources = sorted(([a, i] for i, a in surplus.items()), key=lambda x: (-x[0], x[1]))
    sinks = sorted(([a, i] for i, a in deficit.items()), key=lambda x: (-x[0], x[1]))
    moves: list[Transfer] = []
    while sources and sinks:
        amount = min(sources[0][0], sinks[0][0])
        if amount > 0:
            moves.append((sources[0][1], sinks[0][1], amount))
        for side in (sources, sinks):
            side[0][0] -= amount
            if side[0][0] <= 0:
                side.pop(0)
    return moves


def hub_netting(balances: Sequence[int], weights: Sequence[int], tolerance: int, hub: int = 0) -> list[Transfer]:
    """Surplus chains send to the hub until the need is covered, then the hub serves each deficit chain."""
    surplus, deficit = _imbalances(balances, weights, tolerance)
    need = sum(amount for chain, amount in deficit.items() if chain != hub) - surplus.get(hub, 0) + deficit.get(hub, 0)
    moves: list[Transfer] = []
    for chain, spare in sorted(surplus.items()):
        amount = min(spare, need)
        if chain != hub and amount > 0:
            moves.append((chain, hub, amount))
            need -= amount
    return moves + [(hub, chain, amount) for chain, amount in sorted(deficit.items()) if chain != hub and amount > 0]


def ordered_routes(balances: Sequence[int], weights: Sequence[int], tolerance: int) -> list[Transfer]:
    """Routes in a fixed order; each origin above its maximum sends all above its target to the next chain that lacks some."""
    left, total = list(balances), sum(balances)
    target = [total * weight // sum(weights) for weight in weights]
    moves: list[Transfer] = []
    for source in range(len(left)):
        for sink in range(len(left)):
            room = target[sink] - left[sink]
            if left[source] > target[source] * (100 + tolerance) // 100 and room > target[sink] * tolerance // 100:
                amount = min(left[source] - target[source], room)
                moves.append((source, sink, amount))
                left[source] -= amount
                left[sink] += amount
    return moves


def _imbalances(balances: Sequence[int], weights: Sequence[int], tolerance: int) -> tuple[dict[int, int], dict[int, int]]:
    total = sum(balances)
    target = [total * weight // sum(weights) for weight in weights]
    deficit = {i: t - b for i, (b, t) in enumerate(zip(balances, target)) if b < t - t * tolerance // 100}
    surplus = {i: b - t for i, (b, t) in enumerate(zip(balances, target)) if b > t}
    if sum(surplus.values()) < sum(deficit.values()):
        deficit = {i: amount * sum(surplus.values()) // sum(deficit.values()) for i, amount in deficit.items()}
    return surplus, deficit


class Monolith:
    """The whole problem as one program, hops first and cost second; `tight` uses lane capacity for big-M, else 1e12 dollars.

    Values in millionths of net asset value. It ignores floors, segment order and leg order.
    """

    def __init__(self, document: dict[str, Any], *, tight: bool) -> None:
        worth = {t["id"]: float(t["price"]) / 10 ** t["decimals"] for t in document["tokens"]}
        held = {name: int(units) * worth[name] for name, units in document["holdings"].items()}
        self.nav = sum(held.values())
        self.scale = 1e3 / self.nav
        self.lp = highspy.Highs()
        self.lp.setOptionValue("output_flag", False)
        self.lp.setOptionValue("threads", 1)
        self.uses: list[int] = []
        self.hops: dict[int, float] = {}
        self.cost: dict[int, float] = {}
        balance: dict[str, dict[int, float]] = {name: {} for name in worth}
        swaps: dict[tuple[str, str, str], int] = {}
        for lane in document["lanes"]:
            use, parts = self._lane(lane, worth, tight=tight, reach=self.nav)
            if lane["kind"] == "bridge":
                self.hops[use] = 1.0
            else:
                back = swaps.get((lane["rail"], lane["target"], lane["source"]))
                swaps[lane["rail"], lane["source"], lane["target"]] = use
                if back is not None:
                    self._row(-highspy.kHighsInf, 1.0, {use: 1.0, back: 1.0})
            for column, rate in parts:
                balance[lane["source"]][column] = -1.0
                balance[lane["target"]][column] = rate
        for name, terms in balance.items():
            self._row(-held.get(name, 0.0) * self.scale, highspy.kHighsInf, terms)
        self._bands(document, held, balance)

    def solve(self, seconds: float) -> tuple[float, float, float, bool]:
        """(hops, bound on them, cost in dollars, whether both were proven) within the time given for each stage."""
        hops, bound, proven = self._minimise(self.hops, seconds, 0.999)
        self._row(-highspy.kHighsInf, float(round(hops)) if np.isfinite(hops) else 0.0, self.hops)
        cost, _, tight = self._minimise(self.cost, seconds, 1e-9)
        return hops, bound, cost / self.scale, proven and tight

    def _lane(self, lane: dict[str, Any], worth: dict[str, float], *, tight: bool, reach: float) -> tuple[int, list[tuple[int, float]]]:
        unit = worth[lane["source"]] * self.scale
        most = min(int(lane["max"]), int(lane["schedule"][-1]["up_to"])) * unit
        big = min(most, reach * self.scale) if tight else 1e12 * self.scale
        use = self._column(1.0, integer=True)
        parts: list[tuple[int, float]] = []
        edge = 0.0
        for piece in lane["schedule"]:
            parts.append((self._column(int(piece["up_to"]) * unit - edge), float(piece["rate"])))
            edge = int(piece["up_to"]) * unit
        self._row(-highspy.kHighsInf, 0.0, {**{column: 1.0 for column, _ in parts}, use: -big})
        self._row(0.0, highspy.kHighsInf, {**{column: 1.0 for column, _ in parts}, use: -int(lane["min"]) * unit})
        self.cost[use] = float(lane["fixed"]) * self.scale
        self.cost.update({column: 1.0 - rate for column, rate in parts})
        return use, parts

    def _bands(self, document: dict[str, Any], held: dict[str, float], balance: dict[str, dict[int, float]]) -> None:
        for group, key in (("assets", "asset"), ("chains", "chain")):
            for name, band in document["targets"].get(group, {}).items():
                members = [t["id"] for t in document["tokens"] if t[key] == name]
                terms: dict[int, float] = {}
                for member in members:
                    for column, entry in balance[member].items():
                        terms[column] = terms.get(column, 0.0) + entry
                now = sum(held.get(member, 0.0) for member in members) * self.scale
                low = float(band["low"]) * 1e3 - now if band.get("low") is not None else -highspy.kHighsInf
                high = float(band["high"]) * 1e3 - now if band.get("high") is not None else highspy.kHighsInf
                self._row(low, high, terms)

    def _column(self, upper: float, *, integer: bool = False) -> int:
        self.lp.addVar(0.0, upper)
        column = int(self.lp.getNumCol()) - 1
        if integer:
            self.lp.changeColIntegrality(column, highspy.HighsVarType.kInteger)
        return column

    def _row(self, lower: float, upper: float, terms: dict[int, float]) -> None:
        self.lp.addRow(lower, upper, len(terms), np.array(list(terms), dtype=np.int32), np.array(list(terms.values())))

    def _minimise(self, objective: dict[int, float], seconds: float, gap: float) -> tuple[float, float, bool]:
        for column in range(int(self.lp.getNumCol())):
            self.lp.changeColCost(column, objective.get(column, 0.0))
        self.lp.setOptionValue("mip_abs_gap", gap)
        self.lp.setOptionValue("mip_rel_gap", 0.0 if gap > 0.5 else 1e-4)
        self.lp.setOptionValue("time_limit", self.lp.getRunTime() + seconds)
        self.lp.run()
        facts = self.lp.getInfo()
        found = facts.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        value = float(facts.objective_function_value) if found else float("inf")
        return value, float(facts.mip_dual_bound), self.lp.getModelStatus() == highspy.HighsModelStatus.kOptimal
