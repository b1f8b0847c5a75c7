"""Outages while a plan is carried out: the attester, the relayer and two nodes go away and come back, and nobody lends a hand."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.demo.scenario import solana_book
from deploy.localnet import Network
from deploy.localnet.rpc import request
from tests.localnet.effects import Findings
from tests.localnet.operator import Operator

pytestmark = pytest.mark.localnet

OUTAGE_S = 4  # how long the nodes are away
PATIENCE_S = 150


@dataclass
class Story:
    """What was seen while attester and relayer were away, how the process ended after they came back, and what the chains say."""

    status: dict[str, Any]
    ledger: dict[str, Any]
    shown: str
    alive_in_outage: bool
    code: int
    after: dict[str, Any]
    applied: list[dict[str, Any]]
    findings: Findings


@pytest.fixture(scope="module")
def story(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    network.reset()
    operator = Operator(network, tmp_path_factory.mktemp("outage") / "treasury")
    operator.plan()
    try:
        yield told(network, operator)
    finally:
        network.control("iris", {"paused": False})
        network.control("hyperlane", {"paused": False})


def told(network: Network, operator: Operator) -> Story:
    network.control("hyperlane", {"paused": True})
    process = operator.apply()
    try:
        until(operator.begun, process)
        with stopped(network, "gamma"), unwell(network):
            end = time.monotonic() + OUTAGE_S
            until(lambda: time.monotonic() > end or opened(operator, "cctp"), process)
            if opened(operator, "cctp"):
                network.control("iris", {"paused": True})
            until(lambda: time.monotonic() > end, process)
            alive = process.poll() is None
        until(lambda: opened(operator, "cctp"), process)
        network.control("iris", {"paused": True})  # it quotes the fee until the leg opens, so it may go away only then
        until(lambda: both_wait(operator), process)
        seen = operator.ask("status"), operator.ask("ledger"), shown_to_a_person(operator)
        network.control("hyperlane", {"paused": False})
        network.control("iris", {"paused": False})
        code = process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    return Story(*seen, alive, code, operator.ask("status"), operator.ask("transfers")["transfers"], operator.findings())


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait for something that the living process brings about."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, f"apply ended with {process.returncode}"
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@contextmanager
def stopped(network: Network, chain: str) -> Iterator[None]:
    """The chain's node answers nothing at all: connections hang."""
    pid = json.loads((network.home / "pids" / f"{chain}.json").read_text())["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def unwell(network: Network) -> Iterator[None]:
    """Solana's node answers every request with 503."""
    url = solana_book(network)["rpc"][0]
    request(url, "localnet_fault", {"http_status": 503})
    try:
        yield
    finally:
        request(url, "localnet_fault", {"http_status": 0})


def opened(operator: Operator, rail: str) -> bool:
    """Whether the rail's leg has begun to depart."""
    with closing(sqlite3.connect(f"file:{operator.folder / 'journal.sqlite3'}?mode=ro", uri=True)) as journal:
        bodies = [json.loads(body) for (body,) in journal.execute("select body from event")]
    return any(body["is"] == "Opened" and body["leg"]["lane"]["rail"] == rail for body in bodies)


def both_wait(operator: Operator) -> bool:
    rows = {row["rail"]: row for row in operator.ask("transfers")["transfers"] if row["kind"] == "bridge"}
    return "cannot be asked" in rows["cctp"]["detail"] and "relayer" in rows["hyperlane"]["detail"]


def shown_to_a_person(operator: Operator) -> str:
    line = [word for word in operator.line("status") if word != "--json"]
    return subprocess.run(line, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"}).stdout


def in_flight(story: Story, rail: str) -> dict[str, Any]:
    (row,) = (row for row in story.status["in_flight"] if row["rail"] == rail)
    return row


def test_status__attester_away__says_where_the_transfer_is_and_what_it_waits_for(story: Story):
    row = in_flight(story, "cctp")
    assert row["state"] == "in transit"
    assert "attestation service cannot be asked now" in row["detail"]
    assert not row["needs_you"]
    assert "in transit" in story.shown
    assert "attestation service cannot be asked now" in " ".join(story.shown.split())


def test_status__relayer_away__says_where_the_transfer_is_and_what_it_waits_for(story: Story):
    row = in_flight(story, "hyperlane")
    assert row["state"] == "in transit"
    assert "relayer" in row["detail"]
    assert not row["needs_you"]


def test_ledger__while_they_wait__holds_both_transfers_in_transit_to_the_unit(story: Story):
    held = {
        row["account"].removeprefix("transit:"): row["units"] for row in story.ledger["balances"] if row["account"].startswith("transit:")
    }
    gives = {row["leg"]: row["gives_units"] for row in story.applied if row["rail"] in {"cctp", "hyperlane"}}
    assert gives.items() <= held.items()


def test_apply__nodes_away_for_a_while__process_rides_through(story: Story):
    assert story.alive_in_outage


def test_apply__all_back__finishes_without_a_hand_and_with_every_effect_once(story: Story):
    assert story.code == 0
    assert {row["state"] for row in story.applied} == {"delivered"}
    assert story.findings.problems() == []
    assert story.after["in_flight"] == []
    assert story.after["ledger"] == []
    assert story.after["in_sync"]
