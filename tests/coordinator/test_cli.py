"""The command line over a treasury in memory: streams, exit codes, help, widths, and what a start loads."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from cyclopts import App

from coordinator.cli import app, run
from coordinator.show.tables import short
from tests.coordinator.rehearsal import ADDRESS, TEXT, USDC_A, USDC_B

_WORLDS = count()
HEAVY = ("web3", "eth_account", "solana", "solders", "sqlalchemy", "alembic", "scipy", "networkx", "highspy", "aiohttp", "pydantic")
INSTANCE = {
    "version": 1,
    "numeraire": "USD",
    "tokens": [{"id": "USDC@a", "asset": "USDC", "chain": "a", "decimals": 6, "price": "1"}],
    "holdings": {"USDC@a": "5"},
    "arriving": {},
    "targets": {},
    "lanes": [],
    "limits": {},
}


def commands(group: App, *above: str) -> list[list[str]]:
    """Every command's words; a group stands for its commands."""
    names = [name for name in group if not name.startswith("-")]
    return [words for name in names for words in commands(group[name], *above, name)] or [list(above)]


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


Coordinator = Callable[..., Outcome]


def said(*words: str) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(words))
    return Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture
def coordinator(tmp_path: Path) -> Coordinator:
    """Commands on a treasury of two simulated chains, out of its bands; its world runs on this machine's clock."""
    world = f"command-line-{next(_WORLDS)}"
    text = TEXT.format(folder=tmp_path, world=world, address=ADDRESS, usdc_a=USDC_A, usdc_b=USDC_B, latency=0)
    (tmp_path / "treasury.yaml").write_text(text)
    return lambda *words: said(*words, "--config", str(tmp_path / "treasury.yaml"))


def rebalance(coordinator: Coordinator, plan: Path) -> None:
    assert coordinator("plan", "--out", str(plan)).code == 10
    applied = coordinator("apply", str(plan))
    assert applied.code == 0, applied.err


def test_json__every_command__is_one_document_alone_on_stdout(coordinator: Coordinator, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.json")
    lines = {
        "status": (("status",), 0),
        "plan": (("plan", "--out", plan), 10),
        "plan-view": (("show", plan), 0),
        "apply": (("apply", plan), 0),
        "transfers": (("transfers",), 0),
        "ledger": (("ledger", "--last", "5"), 0),
        "doctor": (("doctor",), 0),
        "audit": (("audit", "verify"), 0),
    }
    for schema, (words, code) in lines.items():
        outcome = coordinator(*words, "--json")

        assert outcome.code == code, outcome.err
        assert json.loads(outcome.out)["schema"] == f"coordinator/{'plan-view' if schema == 'plan' else schema}@1"


def test_json__solve_and_verify__are_documents_on_stdout(tmp_path: Path) -> None:
    instance, answer = tmp_path / "instance.json", tmp_path / "answer.json"
    instance.write_text(json.dumps(INSTANCE))

    solved = said("solve", str(instance), "--json")
    answer.write_text(solved.out)
    verified = said("solve", str(instance), "--verify", str(answer), "--json")

    assert (solved.code, verified.code) == (0, 0)
    assert json.loads(solved.out)["legs"] == []
    assert json.loads(verified.out)["valid"] is True


def test_apply__delivered__says_last_what_comes_next(coordinator: Coordinator, tmp_path: Path) -> None:
    coordinator("plan", "--out", str(tmp_path / "plan.json"))

    outcome = coordinator("apply", str(tmp_path / "plan.json"))

    assert outcome.err.splitlines()[-1] == "Every leg was delivered. Next: coordinator status"


def test_plan__inside_its_bands__exits_0_with_nothing_to_do(coordinator: Coordinator, tmp_path: Path) -> None:
    rebalance(coordinator, tmp_path / "plan.json")

    outcome = coordinator("plan")

    assert outcome.code == 0
    assert outcome.err.endswith("Nothing to do.\n")


def test_apply__twice__exits_13_and_says_so(coordinator: Coordinator, tmp_path: Path) -> None:
    rebalance(coordinator, tmp_path / "plan.json")

    outcome = coordinator("apply", str(tmp_path / "plan.json"))

    assert outcome.code == 13
    assert "applied at most once" in outcome.err


@pytest.mark.parametrize("width", [80, 120])
def test_tables__without_colour__fit_the_width_and_keep_amounts_whole(
    coordinator: Coordinator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    plan = str(tmp_path / "plan.json")
    shown = [coordinator("status"), coordinator("plan", "--out", plan), coordinator("show", plan)]
    moved = short(json.loads(coordinator("show", plan, "--json").out)["legs"][0]["gives"])
    shown += [coordinator("apply", plan), coordinator("transfers"), coordinator("ledger")]

    for outcome in shown:
        assert max(map(len, outcome.out.splitlines())) <= width
        assert "\x1b" not in outcome.out + outcome.err
    assert all(moved in outcome.out for outcome in shown[1:5])


@pytest.mark.parametrize("words", commands(app), ids=" ".join)
def test_help__every_command__has_an_example(words: list[str]) -> None:
    outcome = said(*words, "--help")

    assert outcome.code == 0
    assert f"Example: coordinator {' '.join(words)}" in " ".join(outcome.out.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stauts"], 'Did you mean "status"?'),
        (["plan", "--fast"], "Unknown option: --fast"),
        (["plan", "--deadline", "0"], "Must be > 0"),
        (["apply", "a", "b"], "coordinator apply --help"),
        (["apply"], "give either a plan file or --resume"),
        (["solve"], "coordinator solve --help"),
        (["why-not", "--last", "0"], "Must be >= 1"),
    ],
)
def test_command_line__wrong__exits_2_in_plain_words_on_stderr(words: list[str], told: str) -> None:
    outcome = said(*words)

    assert outcome.code == 2
    assert told in outcome.err
    assert outcome.out == ""
    assert len(outcome.err.splitlines()) <= 2


def test_backtest__out_in_no_folder__exits_2_and_names_it(tmp_path: Path) -> None:
    prices, sheet = tmp_path / "prices.csv", tmp_path / "nowhere" / "sheet.json"
    prices.write_text("time,BTC,ETH\n2024-01-01,1,2\n2024-01-02,1.1,2.1\n2024-01-03,1.2,2\n")

    outcome = said("backtest", str(prices), "--out", str(sheet))

    assert outcome.code == 2
    assert outcome.err.splitlines() == [
        f"{sheet}: cannot be written: No such file or directory; name a file in a folder that exists and is yours"
    ]


def test_start__help_of_status__loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "coordinator", "status", "--help"], capture_output=True, text=True, check=True
    )

    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "coordinator" in loaded
    assert sorted(loaded & set(HEAVY)) == []
