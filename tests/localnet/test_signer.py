"""The demo's treasury with its keys in another process: carried out to the end, and no harm done when that process is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from deploy.localnet import Network
from tests.localnet.operator import Operator

pytestmark = pytest.mark.localnet

PATIENCE = 240  # seconds
KILLS = 5


@pytest.fixture
def operator(network: Network, tmp_path: Path) -> Operator:
    network.reset()
    made = Operator(network, tmp_path)
    text = made.config.read_text(encoding="utf-8")
    made.config.write_text(text.replace("\nchains:", "\nsigner: {kind: process}\nchains:", 1), encoding="utf-8")
    done = subprocess.run(made.line("signer", "policy"), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return made


def signers_of(process: int) -> list[int]:
    """Process ids of the signers that a coordinator started."""
    found = [int(child) for file in Path(f"/proc/{process}/task").glob("*/children") for child in _text(file).split()]
    return [child for child in found if b"coordinator.signer" in _line(child)]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""  # that thread has just ended


def _line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_apply__signer_killed_again_and_again__every_effect_once_and_nothing_lost(operator: Operator) -> None:
    operator.plan()
    applying = operator.apply()
    killed: set[int] = set()
    until = time.monotonic() + PATIENCE
    while applying.poll() is None and time.monotonic() < until:
        fresh = [child for child in signers_of(applying.pid) if child not in killed]
        if fresh and len(killed) < KILLS and operator.events() > 3 * len(killed):
            os.kill(fresh[0], signal.SIGKILL)
            killed.add(fresh[0])
        time.sleep(0.1)
    assert applying.wait(1) == 0, operator.said()
    assert len(killed) >= 2
    findings = operator.findings()
    assert findings.problems() == []
    assert findings.seen == findings.wanted
    signed = [json.loads(line) for line in (operator.folder / "signer-journal.jsonl").read_text().splitlines()]
    assert {effect[0] for entry in signed for effect in entry["effects"]} >= {"approve", "burn", "claim", "swap", "transfer"}
    assert [entry["n"] for entry in signed] == list(range(1, len(signed) + 1))


def test_apply__policy_too_tight__asks_a_person_and_sends_nothing(operator: Operator) -> None:
    operator.plan()
    policy = operator.folder / "signer-policy.json"
    document = json.loads(policy.read_text())
    policy.write_text(json.dumps(document | {"window_usd": "1", "window_seconds": 86_400}))
    applying = operator.apply()
    assert applying.wait(PATIENCE) == 14
    assert re.search(r"refuses, rule window-usd", operator.said())
    signed = [json.loads(line) for line in (operator.folder / "signer-journal.jsonl").read_text().splitlines()]
    assert {effect[0] for entry in signed for effect in entry["effects"]} <= {"approve"}  # permissions are given back or never used
