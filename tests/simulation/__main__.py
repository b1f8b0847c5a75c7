"""Plays seeds: `python -m tests.simulation --seed N` replays one, `--seeds N --seed-base S` soaks."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from tests.simulation import campaign
from tests.simulation.arranged import ARRANGEMENTS
from tests.simulation.crash_points import exhaust

RESULTS = Path("tests/soak-results")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="replay this one and show everything")
    parser.add_argument("--seeds", type=int, default=20_000, help="how many")
    parser.add_argument("--seed-base", type=int, default=0, help="the first")
    parser.add_argument("--workers", type=int, default=None, help="processes (default: one a core)")
    parser.add_argument("--seconds", type=float, default=None, help="stop after so long")
    parser.add_argument("--broken", choices=sorted(campaign.broken.BROKEN), default="", help="with an executor that is wrong on purpose")
    parser.add_argument("--out", type=Path, default=None, help=f"result file (default: a dated one in {RESULTS})")
    parser.add_argument("--crash-points", action="store_true", help="every moment to die, alone and in pairs within a step")
    chosen = parser.parse_args()
    if chosen.crash_points:
        return crash_points(chosen)
    return replay(chosen.seed, chosen.broken) if chosen.seed is not None else soak(chosen)


def replay(seed: int, maker: str) -> int:
    outcome = campaign.outcome_of(seed, maker)
    say(f"seed {seed}: {outcome.faults} faults, {outcome.deaths} crashes; legs {dict(outcome.ends)}; trace {outcome.trace[:16]}")
    say("  " + ", ".join(f"{n} {kind}" for kind, n in sorted(outcome.happened.items())))
    for violation in outcome.violations:
        say(f"  BROKEN {violation}")
    return 1 if outcome.violations else 0


def crash_points(chosen: argparse.Namespace) -> int:
    started = time.monotonic()
    with ProcessPoolExecutor(chosen.workers, mp_context=get_context("spawn")) as pool:
        found = dict(zip(ARRANGEMENTS, pool.map(exhaust, ARRANGEMENTS)))
    for name, spent in found.items():
        say(f"{name}: {spent.boundaries} boundaries, {spent.deaths} deaths, ends {spent.ends}")
        for what in spent.wrong[:5]:
            say(f"  BROKEN {what}")
    runs = sum(spent.runs for spent in found.values())
    wrong = sum(len(spent.wrong) for spent in found.values())
    deaths, rate = sum(spent.deaths for spent in found.values()), runs / (time.monotonic() - started)
    line = f"soak: {runs} crash points, {deaths} crashes, {wrong} wrong, {rate:.1f}/s"
    by_name = {name: {"boundaries": s.boundaries, "runs": s.runs, "crashes": s.deaths, "wrong": s.wrong[:20]} for name, s in found.items()}
    out = chosen.out or RESULTS / f"crash-points-{datetime.now(UTC):%Y-%m-%d}.json"
    campaign.write({"command": "make soak-crash", "result": line, "arrangements": by_name}, out)
    say(line)
    return 1 if wrong else 0


def soak(chosen: argparse.Namespace) -> int:
    seeds = range(chosen.seed_base, chosen.seed_base + chosen.seeds)
    tally = campaign.run(seeds, chosen.broken, chosen.workers, chosen.seconds)
    command = f"make soak SEEDS={tally.schedules} SEED_BASE={chosen.seed_base}"
    out = chosen.out or RESULTS / f"simulation-{datetime.now(UTC):%Y-%m-%d}.json"
    campaign.write(campaign.report(tally, command, chosen.seed_base), out)
    for seed, what in list(tally.failed.items())[:20]:
        say(f"FAILED {what[0][:300]}")
        say(f"  replay: python -m tests.simulation --seed {seed}; keep it: echo {seed} >> tests/simulation/{campaign.SEEDS.name}")
    say(tally.line)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
