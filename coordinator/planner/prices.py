"""What the dual prices of a relaxation say about each lane: the least that using it would add to the objective."""

import numpy as np

from coordinator.planner.model import FlowModel, Terms
from coordinator.planner.program import INFINITY, Vector


def prices(model: FlowModel, objective: Terms, duals: Vector) -> tuple[float, list[float]] | None:
    """A lower bound on the objective from any row prices, and what using each arc adds to it at least.

    Rows that tie one arc's columns together are left to the arc (it is used or not, its flows within their widths);
    all others are priced. Weak duality makes the bound valid whatever the prices are.
    """
    program = model.program
    lower, upper = np.array(program.row_lower), np.array(program.row_upper)
    price = np.where(duals > 0, np.where(np.isfinite(lower), duals, 0.0), np.where(np.isfinite(upper), duals, 0.0))
    price[model.local_rows] = 0.0
    reduced = np.zeros(len(program.lower))
    for column, entry in objective.items():
        reduced[column] = entry
    rows = np.repeat(np.arange(len(lower)), np.diff(np.array(program.starts)))
    np.subtract.at(reduced, np.array(program.indices), price[rows] * np.array(program.entries))
    sides = np.where(price > 0, lower, upper)
    floor = float(np.sum(price[price != 0] * sides[price != 0]))
    extra: list[float] = []
    own: set[int] = set()
    for arc, columns in zip(model.arcs, model.columns):
        add = float(reduced[columns.use])
        add += sum(min(float(reduced[flow]), 0.0) * program.upper[flow] for flow in columns.flows)
        own.update((columns.use, *columns.flows))
        if columns.lost is not None:
            add += min(float(reduced[columns.lost]), 0.0) * arc.target_unit
            own.add(columns.lost)
        floor += min(add, 0.0)
        extra.append(max(add, 0.0))
    for column in (int(one) for one in np.flatnonzero(reduced < 0)):
        if column not in own:
            if program.upper[column] == INFINITY and reduced[column] < -1e-7:
                return None
            floor += float(reduced[column]) * (program.upper[column] if program.upper[column] < INFINITY else 1.0)
    return floor, extra
