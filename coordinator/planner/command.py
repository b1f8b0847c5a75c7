"""What `coordinator solve` does, without printing: plan an instance file, or verify a plan against one."""

from pathlib import Path

from coordinator.planner.answer import Answer
from coordinator.planner.form import InstanceError, load_document, load_instance
from coordinator.planner.solve import solve
from coordinator.planner.verify import verify

__all__ = ["InstanceError", "run_solve", "run_verify"]


def run_solve(path: Path, deadline: float | None = None, graph: Path | None = None) -> Answer:
    """Plan the instance in a file, and write its lane graph with the plan's flows to `graph` if given.

    Raises InstanceError when the file cannot be read or is malformed, OSError when the graph cannot be written.
    """
    instance = load_instance(path)
    answer = solve(instance, deadline)
    if graph:
        from coordinator.planner.graph import write_graph  # late: networkx, only where a graph is asked for

        write_graph(instance, answer, graph)
    return answer


def run_verify(path: Path, plan: Path) -> list[str]:
    """Complaints about the plan in `plan` (an answer's JSON) against the instance in `path`; empty when it is valid."""
    load_instance(path)
    return verify(load_document(path), load_document(plan))
