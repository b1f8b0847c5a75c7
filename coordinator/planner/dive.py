"""A dive for few hops: linear programs in which the most used bridge is made certain, one after the other.

The linear relaxation of the hop count is nearly always as high as the fewest hops themselves; what is hard is a point that
attains it. Making the bridge with the largest share certain keeps the relaxation at its bound for a few steps, which is all
it takes. The search is depth first over a few candidates a level, pruned by the wanted number of hops, bounded in solves.
"""

from dataclasses import dataclass

from coordinator.planner.model import FlowModel
from coordinator.planner.program import Clock, Opened, Vector

CANDIDATES = 3
SOLVES = 40
WHOLE = 1e-6


@dataclass
class Dive:
    """One dive; `solves` counts linear programs."""

    opened: Opened
    bridges: list[int]
    hops: float
    solves: int = 0

    def descend(self, values: Vector) -> Vector | None:
        """A point with whole bridges below this one, or None."""
        open_ones = [column for column in self.bridges if WHOLE < values[column] - round(values[column] - 0.5 + WHOLE) < 1 - WHOLE]
        if not open_ones:
            return values
        tried: list[int] = []
        found = None
        for column in sorted(open_ones, key=lambda one: (-values[one], one))[:CANDIDATES]:
            if self.solves >= SOLVES:
                break
            self.opened.fix(column, 1.0, 1.0)
            below = self._solve()
            found = self.descend(below) if below is not None else None
            if found is not None:
                break
            self.opened.fix(column, 0.0, 0.0)
            tried.append(column)
        for column in tried:
            self.opened.fix(column, 0.0, 1.0)
        return found

    def _solve(self) -> Vector | None:
        self.solves += 1
        values = self.opened.solve()
        if values is None or sum(values[column] for column in self.bridges) > self.hops + 1e-5:
            return None
        return values


def dive(model: FlowModel, hops: int, clock: Clock, weight: float) -> Vector | None:
    """A point of the program with whole bridges and at most `hops` of them, or None when the dive does not find one.

    `weight` is what a thousandth of net asset value in cost counts, in hops.
    """
    objective = {column: entry * weight for column, entry in model.cost().items()}
    for column in model.hops():
        objective[column] = objective.get(column, 0.0) + 1.0
    model.hold(model.hop_row, float(hops))
    opened = Opened(model.program, objective, clock)
    values = opened.solve()
    if values is None:
        return None
    return Dive(opened, sorted(model.hops()), float(hops)).descend(values)
