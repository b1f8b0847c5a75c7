"""An operator of a fresh, unbalanced treasury on the local network: every command is a process of its own, as in real life."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from deploy.demo.configuration import treasury_yaml
from deploy.demo.scenario import create_keys, fund
from deploy.localnet import Network
from tests.localnet.effects import Findings, Witness

PLAN_DEADLINE = 4  # seconds: the best plan found by then will do where only its execution is looked at


class Operator:
    """Makes keys and gives them money; the witness looks at the chains before anything is sent."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.accounts = create_keys(folder / "keys")
        fund(network, self.accounts)
        self.config.write_text(treasury_yaml(network, self.accounts), encoding="utf-8")
        self.witness = Witness(network.book, self.accounts.evm, self.accounts.solana)

    @property
    def config(self) -> Path:
        return self.folder / "treasury.yaml"

    @property
    def plan_file(self) -> Path:
        return self.folder / "plan.json"

    def plan(self) -> dict[str, Any]:
        """Make the plan; the file's own content."""
        self.ask("plan", "--out", str(self.plan_file), "--deadline", str(PLAN_DEADLINE), expect=10)
        plan: dict[str, Any] = json.loads(self.plan_file.read_text("utf-8"))["plan"]
        return plan

    def ask(self, *words: str, expect: int = 0) -> dict[str, Any]:
        """Run a command to its end; what it said as data."""
        done = subprocess.run(self.line(*words, "--json"), capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == expect, f"coordinator {' '.join(words)} ended with {done.returncode}, not {expect}: {done.stderr}"
        view: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
        return view

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Run a command and do not wait; what it says goes to `said.txt`."""
        with (self.folder / "said.txt").open("ab") as said:
            return subprocess.Popen(self.line(*words, "--json"), stdout=said, stderr=said)

    def apply(self) -> subprocess.Popen[bytes]:
        """Begin the plan, or go on with it when it was begun."""
        return self.start("apply", "--resume") if self.begun() else self.start("apply", str(self.plan_file))

    def said(self) -> str:
        path = self.folder / "said.txt"
        return path.read_text("utf-8") if path.exists() else ""

    def begun(self) -> bool:
        return self._count("saga") > 0

    def events(self) -> int:
        """How many facts the journal holds; looked at from outside, read-only."""
        return self._count("event")

    def findings(self) -> Findings:
        return self.witness.findings(json.loads(self.plan_file.read_text("utf-8"))["plan"]["legs"])

    def _count(self, table: str) -> int:
        try:
            with closing(sqlite3.connect(f"file:{self.folder / 'journal.sqlite3'}?mode=ro", uri=True)) as journal:
                return int(journal.execute(f"select count(*) from {table}").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # not made yet, or just being made

    def line(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "coordinator", *words, "--config", str(self.config)]
