"""kill -9 at many moments: treasuries whose `coordinator apply` is killed again and again, and what the chains say afterwards.

`python -m tests.soak.kills --kills 200` (or `make soak-kill KILLS=200`) starts a local network of its own, prints one line and
writes a dated JSON. A moment is a number of journal events plus a small delay, both drawn from the seed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coordinator.exits import Exit
from deploy.localnet import Network
from tests.localnet.operator import Operator
from tests.localnet.pools import Pools

POLL_S = 0.004
START = 10  # a process's start takes so many times longer than its steps
ONE_RUN_S = 180
EVENTS = {"swap": 6, "cctp": 9, "hyperlane": 8}
"""Journal events of a leg, roughly: so that moments fall on all of a run and rarely behind its end."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Kill `delay` seconds after the journal holds `events` facts."""

    events: int
    delay: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One treasury's story. `kills`: moments at which a living process was killed; `recoveries`: seconds from a restart to its
    next fact; `problems`: what the chains or the books hold against it."""

    seed: str
    legs: int
    kills: list[Moment]
    recoveries: list[float]
    double: list[str]
    lost: list[str]
    problems: list[str]
    seconds: float


@dataclass
class Summary:
    """What all runs together show."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(len(outcome.kills) for outcome in self.outcomes)

    @property
    def problems(self) -> list[str]:
        return [f"{outcome.seed}: {problem}" for outcome in self.outcomes for problem in outcome.problems]

    def line(self) -> str:
        double, lost = (sum(len(getattr(outcome, name)) for outcome in self.outcomes) for name in ("double", "lost"))
        reconciled = sum(len(outcome.kills) for outcome in self.outcomes if not outcome.problems)
        times = sorted(seconds for outcome in self.outcomes for seconds in outcome.recoveries) or [0.0]
        p50, p99 = times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]
        return f"soak-kill: {self.kills} kills, {double} double, {lost} lost, {reconciled} reconciled, p50 {p50:.1f} s p99 {p99:.1f} s"


def campaign(network: Network, folder: Path, *, kills: int, each: int, seed: str) -> Iterator[Outcome]:
    """Treasury after treasury, each killed about `each` times, until there were that many kills."""
    pools = Pools(network)
    done = 0
    for number in range(2 * kills // each + 2):  # some moments may fall behind a run's end
        if done >= kills:
            return
        outcome = one_run(Operator(network, folder / f"treasury-{number}"), f"{seed}/{number}", min(each, kills - done))
        done += len(outcome.kills)
        yield outcome
        pools.restore()


def one_run(operator: Operator, seed: str, kills: int) -> Outcome:
    """Plan, apply under fire, interrupt it once more, resume to the end, and ask the chains."""
    began = time.monotonic()
    plan = operator.plan()
    struck: list[Moment] = []
    recoveries: list[float] = []
    for moment in moments(random.Random(seed), plan["legs"], kills):
        if strike(operator, moment, recoveries):
            struck.append(moment)
    wrong = interrupt(operator) + finish(operator, recoveries)
    found = operator.findings()
    problems = wrong + found.problems() + books(operator)
    return Outcome(seed, len(plan["legs"]), struck, recoveries, found.double, found.lost, problems, round(time.monotonic() - began, 1))


def moments(chance: random.Random, legs: list[Mapping[str, Any]], kills: int) -> list[Moment]:
    """The first while the process starts, before the plan is begun; then rising event counts over the whole run."""
    expected = sum(EVENTS.get(planned["leg"]["lane"]["rail"], EVENTS["swap"]) for planned in legs)
    counts = [0, *sorted(chance.randrange(1, expected) for _ in range(kills - 1))]
    return [Moment(count, round(chance.uniform(0, 0.25), 3)) for count in counts]


def strike(operator: Operator, moment: Moment, recoveries: list[float]) -> bool:
    """Start the process and kill it at the moment; False when it ended before."""
    had, began = operator.events(), time.monotonic()
    process = operator.apply()
    recovered = False
    while process.poll() is None and time.monotonic() - began < ONE_RUN_S:
        now = operator.events()
        if now > had and not recovered:
            recoveries.append(round(time.monotonic() - began, 2))
            recovered = True
        if now >= moment.events:
            # A moment that has come already falls on the start: while the process finds its feet, looks, or sends again.
            time.sleep(moment.delay * (START if had >= moment.events else 1))
            return _kill(process)
        time.sleep(POLL_S)
    return _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> bool:
    alive = process.poll() is None
    process.kill()
    process.wait()
    return alive


def interrupt(operator: Operator) -> list[str]:
    """Ctrl-C as soon as it goes on: it says that the rest waits for --resume (exit 16), unless it had just finished."""
    had, began = operator.events(), time.monotonic()
    process = operator.apply()
    while process.poll() is None and operator.events() == had and time.monotonic() - began < ONE_RUN_S:
        time.sleep(POLL_S)
    process.send_signal(signal.SIGINT)
    code = process.wait(ONE_RUN_S)
    return [] if code in {Exit.RUNNING, Exit.OK} else [f"Ctrl-C ended with exit code {code}: {operator.said()[-500:]}"]


def finish(operator: Operator, recoveries: list[float]) -> list[str]:
    """Resume without disturbance until all is done, which it says with exit code 0. No process may ever have died of itself."""
    had, began = operator.events(), time.monotonic()
    process = operator.apply()
    while process.poll() is None and time.monotonic() - began < ONE_RUN_S:
        if operator.events() > had:
            recoveries.append(round(time.monotonic() - began, 2))
            break
        time.sleep(POLL_S)
    try:
        code = process.wait(ONE_RUN_S)
    except subprocess.TimeoutExpired:
        _kill(process)
        return [f"not done after {ONE_RUN_S} s: {operator.said()[-500:]}"]
    said = operator.said()
    wrong = [f"a process died of itself: {said[said.index('Traceback') :][:2000]}"] if "Traceback" in said else []
    return wrong if code == Exit.OK else [*wrong, f"the last resume ended with exit code {code}: {said[-500:]}"]


def books(operator: Operator) -> list[str]:
    """What the coordinator itself says afterwards, which must agree with the chains: nothing open, no gap, an unbroken journal."""
    operator.ask("audit", "verify")
    status = operator.ask("status")
    rows = operator.ask("transfers")["transfers"]
    undelivered = [f"leg {row['leg'][:8]} is {row['state']}: {row['detail']}" for row in rows if row["state"] != "delivered"]
    return [*undelivered, *(f"ledger gap: {gap}" for gap in status["ledger"]), *(f"in flight: {leg}" for leg in status["in_flight"])]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--each", type=int, default=5, help="kills of one treasury's run")
    parser.add_argument("--seed", default="kills")
    parser.add_argument("--port-base", type=int, default=19300)
    parser.add_argument("--home", type=Path, help="use (and leave up) the network that lives here")
    parser.add_argument("--out", type=Path, default=Path("soak"), help="folder of the dated JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        network = Network.up(options.home or Path(place) / "network", options.port_base)
        try:
            summary = _run(network, Path(place), options)
        finally:
            if options.home is None:
                network.down()
    _write(summary, options)
    for problem in summary.problems:
        sys.stderr.write(problem + "\n")
    sys.stdout.write(summary.line() + "\n")
    return 1 if summary.problems else 0


def _run(network: Network, folder: Path, options: argparse.Namespace) -> Summary:
    summary = Summary()
    for outcome in campaign(network, folder, kills=options.kills, each=options.each, seed=options.seed):
        summary.outcomes.append(outcome)
        sys.stderr.write(f"{summary.line()} (this run: {len(outcome.kills)} kills, {outcome.legs} legs, {outcome.seconds} s)\n")
    return summary


def _write(summary: Summary, options: argparse.Namespace) -> None:
    now = datetime.now(UTC)
    content = {
        "schema": "coordinator/soak-kill@1",
        "time": now.isoformat(timespec="seconds"),
        "seed": options.seed,
        "line": summary.line(),
        "runs": [asdict(outcome) for outcome in summary.outcomes],
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"kill-{now:%Y%m%dT%H%M%SZ}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
