"""A sparse linear or mixed-integer program, solved by HiGHS: one thread, fixed seed, so equal inputs give equal answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

import highspy
import numpy as np
from numpy.typing import NDArray

Kind = Literal["optimal", "stopped", "infeasible"]
Vector = NDArray[np.float64]
INFINITY = highspy.kHighsInf
TOLERANCE = 1e-9
LOOSE = 1e-7
FEW = 400
# measured on the mesh benchmarks: restarts, symmetry and feasibility jump cost more than they bring on these programs
LEAN: dict[str, float | int | str | bool] = {
    "mip_detect_symmetry": False,
    "mip_allow_restart": False,
    "mip_heuristic_run_feasibility_jump": False,
}
# numerical trouble inside the solver is rare, and gone on another way through
SECOND_TRY: dict[str, str | int] = {"presolve": "off", "random_seed": 2}
HEURISTICS = ("mip_heuristic_run_rins", "mip_heuristic_run_rens", "mip_heuristic_run_root_reduced_cost")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a solve ended. `values` is None when no point was found; `bound` is a lower bound on the minimum."""

    kind: Kind
    values: Vector | None
    objective: float
    bound: float
    duals: Vector | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The solve's deadline on the monotonic clock; None never ends."""

    end: float | None

    @classmethod
    def start(cls, seconds: float | None) -> "Clock":
        """A clock that ends `seconds` from now."""
        return cls(None if seconds is None else monotonic() + seconds)

    def left(self) -> float:
        """Seconds left, never negative."""
        return INFINITY if self.end is None else max(self.end - monotonic(), 0.0)

    def part(self, share: float) -> "Clock":
        """A clock that ends after this share of what is left."""
        return self if self.end is None else Clock(monotonic() + self.left() * share)

    @property
    def over(self) -> bool:
        """Whether the deadline has passed."""
        return self.left() <= 0.0


class _Quiet(highspy.Highs):
    """HiGHS without its banner: the wrapper's own constructor enables callbacks, which prints to standard output."""

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()


@dataclass
class Program:
    """Columns and rows, gathered first, then minimised any number of times with different objectives and row bounds."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=lambda: [0])
    indices: list[int] = field(default_factory=list)
    entries: list[float] = field(default_factory=list)

    def column(self, lower: float, upper: float, integer: bool = False) -> int:
        """Add a variable; returns its index."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return len(self.lower) - 1

    def row(self, lower: float, upper: float, terms: Iterable[tuple[int, float]]) -> int:
        """Add `lower <= sum(coefficient * variable) <= upper`; returns its index. A variable may appear once."""
        for index, entry in terms:
            if entry != 0.0:
                self.indices.append(index)
                self.entries.append(entry)
        self.starts.append(len(self.indices))
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        return len(self.row_lower) - 1

    def minimise(
        self,
        objective: Mapping[int, float],
        clock: Clock,
        *,
        relaxed: bool = False,
        gap: float = 0.0,
        start: Mapping[int, float] | None = None,
        unit_objective: bool = False,
        nodes: int | None = None,
    ) -> Outcome:
        """Minimise; `relaxed` drops integrality, `unit_objective` says it is a count.

        `start` are values of integer columns of a good known point: with one, the solver's own heuristics are left out.
        """
        if clock.over:
            return Outcome("stopped", None, INFINITY, -INFINITY)
        solver = _Quiet()
        for option, setting in self.options(clock, gap, unit_objective).items():
            solver.setOptionValue(option, setting)
        if nodes is not None:
            solver.setOptionValue("mip_max_nodes", nodes)
        solver.passModel(self.assemble(objective, relaxed))
        if start:
            solver.setSolution(len(start), np.array(list(start), dtype=np.int32), np.array(list(start.values())))
            for heuristic in HEURISTICS:
                solver.setOptionValue(heuristic, False)
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kSolveError:
            for option, setting in SECOND_TRY.items():
                solver.setOptionValue(option, setting)
            solver.clearSolver()
            solver.run()
        return _outcome(solver, relaxed or not any(self.integer))

    def options(self, clock: Clock, gap: float, unit_objective: bool) -> dict[str, float | int | str | bool]:
        tolerance = LOOSE if len(self.lower) > FEW else TOLERANCE
        options: dict[str, float | int | str | bool] = {
            "output_flag": False,
            "threads": 1,
            "random_seed": 1,
            "primal_feasibility_tolerance": tolerance,
            "dual_feasibility_tolerance": tolerance,
            "mip_feasibility_tolerance": tolerance,
            "mip_rel_gap": gap,
            "mip_abs_gap": 0.999 if unit_objective else 1e-9,
            **LEAN,
        }
        if clock.end is not None:
            options["time_limit"] = clock.left()
        return options

    def assemble(self, objective: Mapping[int, float], relaxed: bool) -> highspy.HighsLp:
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(self.lower), len(self.row_lower)
        cost = np.zeros(len(self.lower))
        for index, entry in objective.items():
            cost[index] = entry
        program.col_cost_ = cost
        program.col_lower_, program.col_upper_ = np.array(self.lower), np.array(self.upper)
        program.row_lower_, program.row_upper_ = np.array(self.row_lower), np.array(self.row_upper)
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.array(self.starts, dtype=np.int32)
        program.a_matrix_.index_ = np.array(self.indices, dtype=np.int32)
        program.a_matrix_.value_ = np.array(self.entries)
        if not relaxed and any(self.integer):
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            program.integrality_ = [kinds[one] for one in self.integer]
        return program


def _outcome(solver: highspy.Highs, linear: bool) -> Outcome:
    status = solver.getModelStatus()
    facts = solver.getInfo()
    ended = highspy.HighsModelStatus
    if status in (ended.kInfeasible, ended.kUnboundedOrInfeasible):
        return Outcome("infeasible", None, INFINITY, INFINITY)
    found = facts.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(solver.getSolution().col_value) if found else None
    objective = facts.objective_function_value if found else INFINITY
    done = status in (ended.kOptimal, ended.kModelEmpty)
    bound = (objective if done else -INFINITY) if linear else facts.mip_dual_bound
    duals = np.array(solver.getSolution().row_dual) if linear and done else None
    return Outcome("optimal" if done else "stopped", values, objective, min(bound, objective), duals)


class Opened:
    """A program's linear relaxation kept open: bounds change, each solve starts from the last one's basis."""

    def __init__(self, program: Program, objective: Mapping[int, float], clock: Clock) -> None:
        self.clock = clock
        self.solver = _Quiet()
        for option, setting in program.options(clock, 0.0, False).items():
            self.solver.setOptionValue(option, setting)
        self.solver.passModel(program.assemble(objective, True))

    def fix(self, column: int, lower: float, upper: float) -> None:
        """Change a variable's bounds."""
        self.solver.changeColBounds(column, lower, upper)

    def solve(self) -> Vector | None:
        """The optimal point, or None when there is none or the clock has run out."""
        if self.clock.over:
            return None
        if self.clock.end is not None:
            self.solver.setOptionValue("time_limit", self.solver.getRunTime() + self.clock.left())
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self.solver.getSolution().col_value)
