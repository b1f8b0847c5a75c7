"""An independent check of a plan against its instance, in integers, sharing no code with the solver.

It reads the two JSON documents itself and replays the plan leg by leg. Every complaint names the leg or the figure, what
was found and what was expected. The bounds it can check are one-sided: none may lie above what the plan reaches.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

Json = Mapping[str, Any]
HOP_KIND = "bridge"


def verify(instance_json: Json, answer_json: Json) -> list[str]:
    """Complaints about a plan; an empty list means that it is valid. Malformed documents are complaints too."""
    try:
        return _Check(instance_json, answer_json).complaints()
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError, AttributeError) as error:
        return [f"the documents cannot be replayed: {type(error).__name__}: {error}"]


def _number(text: object) -> Fraction:
    if isinstance(text, float):
        raise TypeError(f"found the float {text!r}, allowed: a decimal string")
    return Fraction(Decimal(str(text)))


class _Check:
    """One replay; complaints gather in `found`."""

    def __init__(self, instance: Json, answer: Json) -> None:
        self.instance, self.answer = instance, answer
        self.found: list[str] = []
        self.lanes = {lane["id"]: lane for lane in instance.get("lanes", ())}
        self.worth = {t["id"]: _number(t["price"]) / 10 ** int(t["decimals"]) for t in instance["tokens"]}
        self.held = {name: int(units) for name, units in instance.get("holdings", {}).items()}
        self.coming = {name: int(units) for name, units in instance.get("arriving", {}).items()}
        self.legs: Sequence[Json] = answer["legs"]

    def complaints(self) -> list[str]:
        self._lanes_of_legs()
        if not self.found:
            self._amounts()
            self._order()
            self._dependencies()
            self._totals()
            self._limits()
            self._claims()
        return self.found

    def _say(self, complaint: str) -> None:
        self.found.append(complaint)

    def _lanes_of_legs(self) -> None:
        used: set[str] = set()
        swaps: dict[tuple[str, str, str], str] = {}
        for number, leg in enumerate(self.legs):
            name = leg["lane"]
            if name not in self.lanes:
                self._say(f"leg {number}: lane {name!r} is not in the instance")
                continue
            if name in used:
                self._say(f"leg {number}: lane {name!r} is used twice, allowed: one leg a lane")
            used.add(name)
            lane = self.lanes[name]
            if lane["kind"] == "swap":
                rail, source, target = lane.get("rail", ""), lane["source"], lane["target"]
                if (rail, target, source) in swaps:
                    self._say(f"leg {number}: swap lane {name!r} runs against {swaps[rail, target, source]!r} on the same rail")
                swaps[rail, source, target] = name

    def _amounts(self) -> None:
        for number, leg in enumerate(self.legs):
            lane, gives, takes = self.lanes[leg["lane"]], int(leg["gives"]), int(leg["takes"])
            ceiling = min(int(lane["max"]), int(lane["schedule"][-1]["up_to"]))
            floor = int(lane.get("min", 0))
            if not floor <= gives <= ceiling or gives < 0:
                self._say(f"leg {number}: gives {gives}, allowed: {floor} to {ceiling}")
            expected = self._delivered(lane, gives)
            if takes != expected:
                self._say(f"leg {number}: takes {takes}, expected: {expected}")

    def _delivered(self, lane: Json, gives: int) -> int:
        edge, value = 0, Fraction(0)
        for segment in lane["schedule"]:
            inside = max(0, min(gives, int(segment["up_to"])) - edge)
            value += inside * self.worth[lane["source"]] * _number(segment["rate"])
            edge = int(segment["up_to"])
        ratio = value / self.worth[lane["target"]]
        return int(ratio.numerator // ratio.denominator)

    def _order(self) -> None:
        balance = defaultdict(int, self.held)
        for number, leg in enumerate(self.legs):
            lane = self.lanes[leg["lane"]]
            balance[lane["source"]] -= int(leg["gives"])
            if balance[lane["source"]] < 0:
                self._say(f"leg {number}: leaves {balance[lane['source']]} of {lane['source']}, allowed: never below zero")
            balance[lane["target"]] += int(leg["takes"])
        for name, units in self.coming.items():
            balance[name] += units
        claimed = {name: int(units) for name, units in self.answer["final"].items()}
        for name in self.worth:
            if claimed.get(name, 0) != balance[name]:
                self._say(f"final of {name}: claims {claimed.get(name, 0)}, replay gives {balance[name]}")
        for name in claimed:
            if name not in self.worth:
                self._say(f"final names {name!r}, which is not a token of the instance")
        self.final = balance

    def _dependencies(self) -> None:
        """Each leg must be payable from holdings and what it waits for, even if everything listed before has departed."""
        behind: list[set[int]] = []
        for number, leg in enumerate(self.legs):
            waits = [int(other) for other in leg["after"]]
            if any(not 0 <= other < number for other in waits) or len(set(waits)) < len(waits):
                self._say(f"leg {number}: after is {waits}, allowed: distinct positions below {number}")
                return
            closure = set(waits).union(*(behind[other] for other in waits))
            behind.append(closure)
            source = self.lanes[leg["lane"]]["source"]
            purse = self.held.get(source, 0) - int(leg["gives"])
            for other in range(number):
                if self.lanes[self.legs[other]["lane"]]["source"] == source:
                    purse -= int(self.legs[other]["gives"])
                if other in closure and self.lanes[self.legs[other]["lane"]]["target"] == source:
                    purse += int(self.legs[other]["takes"])
            if purse < 0:
                self._say(f"leg {number}: lacks {-purse} of {source} from the legs it waits for ({sorted(closure)})")

    def _totals(self) -> None:
        self.hops = sum(self.lanes[leg["lane"]]["kind"] == HOP_KIND for leg in self.legs)
        self.turnover, self.cost = Fraction(0), Fraction(0)
        for leg in self.legs:
            lane = self.lanes[leg["lane"]]
            given, taken = int(leg["gives"]) * self.worth[lane["source"]], int(leg["takes"]) * self.worth[lane["target"]]
            self.turnover += given
            self.cost += _number(lane.get("fixed", "0")) + given - taken
        done: list[int] = []
        for leg in self.legs:
            wait = max((done[int(other)] for other in leg["after"] if int(other) < len(done)), default=0)
            done.append(wait + int(self.lanes[leg["lane"]].get("latency_s", 0)))
        self.makespan = max(done, default=0)
        self.violation = self._violation()

    def _violation(self) -> Fraction:
        nav = sum((self.held.get(t, 0) + self.coming.get(t, 0)) * worth for t, worth in self.worth.items())
        targets, outside = self.instance.get("targets", {}), Fraction(0)
        for group, key in (("assets", "asset"), ("chains", "chain")):
            for name, band in (targets.get(group) or {}).items():
                value = sum(self.final[t["id"]] * self.worth[t["id"]] for t in self.instance["tokens"] if t[key] == name)
                outside += _outside(value, band.get("low"), band.get("high"), Fraction(nav))
        for name, band in (targets.get("tokens") or {}).items():
            worth = self.worth[name]
            outside += _outside(self.final[name] * worth, band.get("low_units"), band.get("high_units"), worth)
        return outside

    def _limits(self) -> None:
        limits = self.instance.get("limits") or {}
        reached = {"turnover": self.turnover, "cost": self.cost, "legs": Fraction(len(self.legs)), "deadline_s": Fraction(self.makespan)}
        for name, value in reached.items():
            if limits.get(name) is not None and self.legs and value > _number(limits[name]):
                self._say(f"limit {name}: reached {float(value)}, allowed: at most {limits[name]}")

    def _claims(self) -> None:
        answer = self.answer
        for name, value in (("violation", self.violation), ("hops", Fraction(self.hops)), ("cost", self.cost)):
            if _number(answer[name]) != value:
                self._say(f"{name}: claims {answer[name]}, replay gives {float(value)}")
            if _number(answer[f"{name}_bound"]) > value:
                self._say(f"{name}_bound: {answer[f'{name}_bound']} lies above what the plan reaches ({float(value)})")
        if "makespan_s" in answer and int(answer["makespan_s"]) != self.makespan:
            self._say(f"makespan_s: claims {answer['makespan_s']}, replay gives {self.makespan}")
        self._status()

    def _status(self) -> None:
        status, answer = self.answer["status"], self.answer
        if status not in ("optimal", "feasible", "partial", "infeasible"):
            self._say(f"status: found {status!r}, allowed: optimal, feasible, partial, infeasible")
        if status in ("optimal", "feasible") and self.violation > 0:
            self._say(f"status is {status} with a violation of {float(self.violation)}")
        if self.violation > 0 and not answer["unmet"]:
            self._say("unmet is empty although bands are violated")
        if status == "optimal":
            gap = self.cost - _number(answer["cost_bound"])
            if self.hops != int(answer["hops_bound"]) or gap > abs(self.cost) / 10_000:
                self._say("status is optimal although hops or cost lie above their bounds")


def _outside(value: Fraction, low: object, high: object, per: Fraction) -> Fraction:
    outside = Fraction(0)
    if low is not None:
        outside += max(Fraction(0), _number(low) * per - value)
    if high is not None:
        outside += max(Fraction(0), value - _number(high) * per)
    return outside
