"""The planner's benchmark: `run.py [--sizes 5x5,8x6] [--seeds 3] [--first 0] [--deadline 30] [--naive] [--out FOLDER]`.

Writes bench-planner.json and bench-planner.md with date, command and machine. Every plan is checked by the verifier.
"""

import argparse
import json
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3]))

import baselines
import families

from coordinator.planner.form import read_instance
from coordinator.planner.solve import solve
from coordinator.planner.verify import verify


def measure(document: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Solve one instance; wall and processor seconds (the machine may be shared)."""
    wall, cpu = perf_counter(), process_time()
    answer = solve(read_instance(document), deadline)
    taken = {"seconds": perf_counter() - wall, "cpu_seconds": process_time() - cpu}
    complaints = verify(document, json.loads(answer.text()))
    facts = {"status": answer.status, "violation": float(answer.violation), "hops": answer.hops, "hops_bound": answer.hops_bound}
    return {**facts, "cost": float(answer.cost), "cost_bound": float(answer.cost_bound), "complaints": complaints, **taken}


def monolith(document: dict[str, Any], deadline: float, *, tight: bool) -> dict[str, Any]:
    """The exact program in one piece, with tight or careless big-M."""
    cpu = process_time()
    hops, bound, cost, proven = baselines.Monolith(document, tight=tight).solve(deadline)
    return {"hops": hops, "hops_bound": bound, "cost": cost, "proven": proven, "cpu_seconds": process_time() - cpu}


def mesh_rows(sizes: list[tuple[int, int]], seeds: range, deadline: float, *, naive: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for chains, assets in sizes:
        for seed in seeds:
            document = families.mesh(chains, assets, seed)
            row: dict[str, Any] = {"family": f"mesh {chains}x{assets}", "seed": seed, "lanes": len(document["lanes"])}
            row["planner"] = measure(document, deadline)
            row["tight"] = monolith(document, deadline, tight=True)
            if naive:
                row["naive"] = monolith(document, deadline, tight=False)
            rows.append(row)
            print(json.dumps(row), file=sys.stderr)  # noqa: T201
    return rows


def band_rows(sizes: list[int], tolerance: int, seeds: int, deadline: float) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for chains in sizes:
        for seed in range(1, seeds + 1):
            document, balances, weights = families.band(chains, tolerance, seed)
            greedy = {
                "two-pointer": len(baselines.two_pointer_greedy(balances, weights, tolerance)),
                "hub": len(baselines.hub_netting(balances, weights, tolerance)),
                "ordered": len(baselines.ordered_routes(balances, weights, tolerance)),
            }
            rows.append({"family": f"band {chains}", "seed": seed, "planner": measure(document, deadline), "transfers": greedy})
    return rows


def table(meshes: list[dict[str, Any]], bands: list[dict[str, Any]]) -> str:
    lines = ["| family | n | hops proven | optimal | median CPU s | tight MILP: proven, median CPU s |", "|---|---|---|---|---|---|"]
    for family in dict.fromkeys(row["family"] for row in meshes):
        rows = [row for row in meshes if row["family"] == family]
        proven = sum(row["planner"]["hops"] == row["planner"]["hops_bound"] for row in rows)
        best = sum(row["planner"]["status"] == "optimal" for row in rows)
        ours = statistics.median(row["planner"]["cpu_seconds"] for row in rows)
        theirs = statistics.median(row["tight"]["cpu_seconds"] for row in rows)
        exact = sum(row["tight"]["proven"] for row in rows)
        lines.append(f"| {family} | {len(rows)} | {proven} | {best} | {ours:.2f} | {exact}, {theirs:.2f} |")
    lines += ["", "| family | n | planner | two-pointer | hub | ordered | median CPU s |", "|---|---|---|---|---|---|---|"]
    for family in dict.fromkeys(row["family"] for row in bands):
        rows = [row for row in bands if row["family"] == family]
        mean = [statistics.mean(row["transfers"][name] for row in rows) for name in ("two-pointer", "hub", "ordered")]
        hops = statistics.mean(row["planner"]["hops"] for row in rows)
        cpu = statistics.median(row["planner"]["cpu_seconds"] for row in rows)
        lines.append(f"| {family} | {len(rows)} | {hops:.2f} | " + " | ".join(f"{one:.2f}" for one in mean) + f" | {cpu:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    reader = argparse.ArgumentParser(description="Benchmark the planner against its baselines.")
    reader.add_argument("--sizes", default="5x5,8x6")
    reader.add_argument("--bands", default="5,8,12")
    reader.add_argument("--seeds", type=int, default=3)
    reader.add_argument("--first", type=int, default=0, help="the first mesh seed")
    reader.add_argument("--naive", action="store_true", help="also solve the careless big-M program")
    reader.add_argument("--deadline", type=float, default=30.0)
    reader.add_argument("--out", type=Path, default=Path())
    wanted = reader.parse_args()
    sizes = [(int(a), int(b)) for a, b in (one.split("x") for one in wanted.sizes.split(",") if one)]
    meshes = mesh_rows(sizes, range(wanted.first, wanted.first + wanted.seeds), wanted.deadline, naive=wanted.naive)
    bands = band_rows([int(one) for one in wanted.bands.split(",") if one], 10, wanted.seeds, wanted.deadline)
    head = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "command": " ".join(sys.argv), "machine": platform.platform()}
    (wanted.out / "bench-planner.json").write_text(json.dumps({**head, "mesh": meshes, "band": bands}, indent=1), encoding="utf-8")
    (wanted.out / "bench-planner.md").write_text(f"{head}\n\n" + table(meshes, bands), encoding="utf-8")


if __name__ == "__main__":
    main()
