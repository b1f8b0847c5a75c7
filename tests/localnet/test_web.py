"""The daemon with its dashboard on the real network: stopped in the middle and started again, every effect is there once."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deploy.localnet import Network
from tests.localnet.operator import Operator

pytestmark = pytest.mark.localnet

LOOKS = 600  # at a tenth of a second each


class Daemon:
    """An operator's daemon and the address of its dashboard."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str) -> None:
        line = self.operator.line("run", "--every", "2", "--port", str(self._port), *words)
        with (self.operator.folder / "said.txt").open("ab") as said:
            self._process = subprocess.Popen(line, stdout=said, stderr=said)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(120)

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=30) as answer:
            body: bytes = answer.read()
            return body.decode()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def until(self, holds: Callable[[], bool], what: str) -> None:
        for _ in range(LOOKS):
            assert self._process is not None
            assert self._process.poll() is None, f"the daemon ended: {self.operator.said()}"
            try:
                if holds():
                    return
            except (urllib.error.URLError, ConnectionError):
                pass  # it is not up yet, or its first look is under way
            time.sleep(0.1)
        raise AssertionError(f"waited too long until {what}: {self.operator.said()}")


@pytest.fixture
def daemon(network: Network, tmp_path: Path) -> Iterator[Daemon]:
    network.reset()
    made = Daemon(Operator(network, tmp_path))
    yield made
    made.kill()


def begun_legs(operator: Operator) -> list[dict[str, Any]]:
    """The legs of every plan that was begun, as the journal keeps them."""
    with closing(sqlite3.connect(f"file:{operator.folder / 'journal.sqlite3'}?mode=ro", uri=True)) as journal:
        return [leg for (body,) in journal.execute("select body from plan") for leg in json.loads(body)["legs"]]


def test_run__stopped_in_the_middle_and_started_again__every_effect_once_and_pages_tell_it(daemon: Daemon):
    operator = daemon.operator
    daemon.start("--grace", "0")
    daemon.until(lambda: operator.events() > 15, "something was sent")
    refused = operator.ask("apply", "--resume", expect=1)
    assert refused == {}
    assert daemon.stop() == 0
    stopped_at = operator.events()

    daemon.start("--grace", "60")
    daemon.until(lambda: [row["outcome"] for row in daemon.json("/api/v1/plans")["plans"]] == ["delivered"], "the one plan is delivered")
    daemon.until(lambda: daemon.json("/api/v1/status")["in_flight"] == [], "the dashboard has looked since")
    assert operator.events() > stopped_at

    assert operator.witness.findings(begun_legs(operator)).problems() == []
    status = daemon.json("/api/v1/status")
    assert (status["in_sync"], status["ledger"]) == (True, [])
    for path in ("/", "/holdings", "/policy", "/plans", "/transfers", "/ledger", "/network", "/audit"):
        assert "<h1>" in daemon.get(path)
    for row in daemon.json("/api/v1/transfers")["transfers"]:
        text = daemon.get(f"/transfers/{row['leg']}")
        assert all(reference in text for reference in row["transactions"])
    assert "Ledger less chain is zero for every one of" in daemon.get("/ledger")
    assert "coordinator_conservation_residual_usd 0.0" in daemon.get("/metrics")
    assert daemon.stop() == 0


def test_run__bridge_stands_still__pages_show_the_value_in_flight_and_stopping_leaves_it_tracked(daemon: Daemon, network: Network):
    network.control("iris", {"delay_s": 3600})
    operator = daemon.operator
    daemon.start("--grace", "1")
    try:
        daemon.until(lambda: "in transit" in {leg["state"] for leg in daemon.json("/api/v1/status")["in_flight"]}, "a leg is in transit")
        daemon.until(
            lambda: sum(row["state"] != "delivered" for row in daemon.json("/api/v1/transfers")["transfers"]) == 1, "only CCTP waits"
        )
        row = next(row for row in daemon.json("/api/v1/transfers")["transfers"] if row["state"] != "delivered")
        assert row["rail"] == "cctp"
        assert "Never send it again" in daemon.get(f"/transfers/{row['leg']}")
        assert "coordinator_transfer_age_seconds" in daemon.get("/metrics")
        assert daemon.stop() == 0
        assert "what was begun goes on with the next start" in operator.said()
    finally:
        network.control("iris", {"delay_s": 0})
    assert subprocess.run(operator.line("run", "--once"), check=False, timeout=180).returncode == 0
    assert operator.witness.findings(begun_legs(operator)).problems() == []
