"""What the planner answers: legs in executable order, what they reach, and how good that is proven to be."""

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

Status = Literal["optimal", "feasible", "partial", "infeasible"]


@dataclass(frozen=True, slots=True)
class Leg:
    """One use of a lane, in base units. `after` are positions of earlier legs whose delivery this one needs."""

    lane: str
    gives: int
    takes: int
    after: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmet:
    """A demand the plan leaves open: which, by how much value, and what stops it."""

    target: str
    short: Fraction
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan with its proven bounds. Values in numeraire; `final` in base units; `makespan_s` along `after`."""

    status: Status
    violation: Fraction
    violation_bound: Fraction
    hops: int
    hops_bound: int
    cost: Fraction
    cost_bound: Fraction
    legs: tuple[Leg, ...]
    final: dict[str, int]
    unmet: tuple[Unmet, ...]
    makespan_s: int
    seconds: float

    def document(self) -> dict[str, Any]:
        """The answer as a JSON object: amounts as integer strings, values as exact decimal strings."""
        return {
            "status": self.status,
            "violation": decimal(self.violation),
            "violation_bound": decimal(self.violation_bound),
            "hops": self.hops,
            "hops_bound": self.hops_bound,
            "cost": decimal(self.cost),
            "cost_bound": decimal(self.cost_bound),
            "makespan_s": self.makespan_s,
            "seconds": round(self.seconds, 3),
            "legs": [{"lane": leg.lane, "gives": str(leg.gives), "takes": str(leg.takes), "after": list(leg.after)} for leg in self.legs],
            "final": {token: str(units) for token, units in sorted(self.final.items())},
            "unmet": [{"target": one.target, "short": decimal(one.short), "why": one.why} for one in self.unmet],
        }

    def text(self) -> str:
        """The answer as JSON text. Two solves of one instance differ in `seconds` alone."""
        return json.dumps(self.document(), indent=1, ensure_ascii=False) + "\n"

    def plan_text(self) -> str:
        """The answer without its timing: byte-equal for equal inputs (unless a deadline cut the solve short)."""
        document = self.document()
        del document["seconds"]
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def decimal(value: Fraction) -> str:
    """Exact decimal text of a value; a value without a finite decimal form is cut (toward zero) at 40 places."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives) if rest == 1 else 40
    digits = abs(value.numerator) * 10**places // value.denominator
    sign = "-" if value < 0 and digits else ""
    whole, part = divmod(digits, 10**places)
    tail = f"{part:0{places}d}".rstrip("0") if places else ""
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"
