"""Many seeds on all cores: plays them, adds up what was met, and says it in one line and one JSON file."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation import broken, faults
from tests.simulation.judge import DOUBLE, Violation
from tests.simulation.schedule import Outcome, play_now
from tests.simulation.weather import OPEN_STATES

BATCH = 20
SEEDS = Path(__file__).with_name("seeds.txt")
MAKERS = {"": None, **broken.BROKEN}


@dataclass
class Tally:
    """The sum over schedules. `failed`: seed -> what it broke."""

    schedules: int = 0
    faults: int = 0
    deaths: int = 0
    double: int = 0
    lost: int = 0
    reconciled: int = 0
    seconds: float = 0.0
    failed: dict[int, list[str]] = field(default_factory=dict)
    happened: Counter[str] = field(default_factory=Counter)
    situations: Counter[tuple[str, str]] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.schedules += 1
        self.faults += outcome.faults
        self.deaths += outcome.deaths
        self.reconciled += outcome.reconciled
        self.happened += outcome.happened
        self.situations += outcome.situations
        self.ends += outcome.ends
        if outcome.violations:
            self.failed[outcome.seed] = [str(violation) for violation in outcome.violations]
            doubled = any(violation.invariant in DOUBLE for violation in outcome.violations)
            self.double += doubled
            self.lost += not doubled

    @property
    def rate(self) -> float:
        return self.schedules / self.seconds if self.seconds else 0.0

    @property
    def line(self) -> str:
        return (
            f"soak: {self.schedules} schedules, {self.faults} faults, {self.deaths} crashes, {self.double} double, "
            f"{self.lost} lost, {self.reconciled} reconciled, {self.rate:.1f}/s"
        )

    def unmet(self, least: int) -> list[tuple[str, str, int]]:
        """(fault, state of a leg) that met fewer than `least` times, of all that can meet."""
        kinds = [*faults.FAULTS, "slow answer", "death"]
        return [(kind, state, n) for kind in kinds for state in OPEN_STATES if (n := self.situations[kind, state]) < least]


def outcome_of(seed: int, maker: str = "") -> Outcome:
    """One seed; what it raises is a violation too, for no exception may leave the coordinator."""
    make = MAKERS[maker]
    try:
        return play_now(seed) if make is None else play_now(seed, make)
    except Exception as problem:  # noqa: BLE001 - that is the finding
        where = traceback.extract_tb(problem.__traceback__)[-1]
        return Outcome(seed, [Violation("L1", f"{type(problem).__name__} in {where.name}: {problem}")])


def _batch(job: tuple[list[int], str]) -> list[Outcome]:
    seeds, maker = job
    return [outcome_of(seed, maker) for seed in seeds]


def outcomes(seeds: Iterable[int], maker: str = "", workers: int | None = None) -> Iterator[Outcome]:
    """Outcomes as they come in, batch by batch, in order of the seeds."""
    numbers = list(seeds)
    jobs = [(numbers[i : i + BATCH], maker) for i in range(0, len(numbers), BATCH)]
    workers = workers or os.cpu_count() or 1
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        pending = []
        for job in jobs:
            pending.append(pool.submit(_batch, job))
            if len(pending) >= 4 * workers:
                yield from pending.pop(0).result()
        for left in pending:
            yield from left.result()


def run(seeds: Iterable[int], maker: str = "", workers: int | None = None, seconds: float | None = None) -> Tally:
    """Play the seeds and add up. `seconds`: begin no further batch after so long (None: play all)."""
    tally, started = Tally(), time.monotonic()
    stream = outcomes(seeds, maker, workers)
    for outcome in stream:
        tally.add(outcome)
        tally.seconds = time.monotonic() - started
        if seconds is not None and tally.seconds > seconds:
            stream.close()
            break
    return tally


def report(tally: Tally, command: str, seed_base: int) -> dict[str, object]:
    """What a dated result file holds."""
    kinds = sorted({kind for kind, _ in tally.situations if kind != "death at"})
    return {
        "command": command,
        "result": tally.line,
        "seeds": {"base": seed_base, "count": tally.schedules},
        "cores": os.cpu_count(),
        "seconds": round(tally.seconds, 1),
        "mean": {"faults": round(tally.faults / tally.schedules, 2), "crashes": round(tally.deaths / tally.schedules, 2)},
        "ends of legs": dict(sorted(tally.ends.items())),
        "faults": dict(sorted(tally.happened.items())),
        "situations": {kind: {state: tally.situations[kind, state] for state in OPEN_STATES} for kind in kinds},
        "crashes at": {door: n for (kind, door), n in sorted(tally.situations.items()) if kind == "death at"},
        "failed": {str(seed): what[:3] for seed, what in list(tally.failed.items())[:50]},
        "bound": f"no failure in {tally.schedules} schedules: below {3 / tally.schedules:.1e} each with 95 % confidence, for these faults",
    }


def write(result: dict[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def kept_seeds() -> list[int]:
    """Seeds that once failed; they are played in every test run, for ever."""
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]
