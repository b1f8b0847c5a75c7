"""Drawn schedules: nothing twice, nothing lost, everything reconciled; every seed that ever failed; and the same again bit by bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import campaign

SECONDS = float(os.environ.get("SIMULATION_SECONDS", "30"))
MOST = 20_000
BASE = 1_000_000
LEAST_MET = 1  # in a run of this size; `make soak` counts them all


@pytest.fixture(scope="module")
def tally() -> campaign.Tally:
    """As many schedules as the budget allows, on every core."""
    return campaign.run(range(BASE, BASE + MOST), seconds=SECONDS)


def test_schedules__drawn__nothing_twice_nothing_lost(tally: campaign.Tally, record_property: pytest.RecordProperty) -> None:
    record_property("soak", tally.line)
    sys.stdout.write(tally.line + "\n")
    replay = "; replay: python -m tests.simulation --seed N"
    assert not tally.failed, f"{dict(list(tally.failed.items())[:5])}{replay}"
    assert tally.reconciled == tally.schedules > 0


def test_schedules__drawn__stormy_enough(tally: campaign.Tally) -> None:
    assert tally.faults >= 5 * tally.schedules
    assert tally.deaths >= 2 * tally.schedules


def test_schedules__drawn__every_state_met_a_death_and_every_fault_happened(tally: campaign.Tally) -> None:
    silent = [kind for kind in campaign.faults.FAULTS if tally.happened[kind] < LEAST_MET]
    unmet = [entry for entry in tally.unmet(LEAST_MET) if entry[0] == "death"]
    if tally.schedules >= 300:
        assert (silent, unmet) == ([], [])
    assert set(tally.ends) >= {"delivered", "abandoned"}


@pytest.mark.parametrize("seed", campaign.kept_seeds())
def test_seed__failed_once__holds_for_ever(seed: int) -> None:
    assert campaign.outcome_of(seed).violations == []


def test_seed__played_in_two_processes__identical_to_the_last_hash() -> None:
    """Nothing depends on the order of sets, on the machine's clock or on what was played before."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.simulation", "--seed"]
    for seed in ("7", "1101"):
        told = [_told([*command, seed], root, salt) for salt in ("1", "2")]
        assert told[0] == told[1]
        assert "trace" in told[0]


def _told(command: list[str], root: Path, salt: str) -> str:
    played = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, text=True, check=True)
    return played.stdout
