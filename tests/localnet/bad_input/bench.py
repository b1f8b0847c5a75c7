"""The bench of the bad-input table: one funded treasury, broken copies of it, the real commands, and proof that nothing was sent."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from coordinator import planfile
from coordinator.cli import run
from coordinator.clock import SystemClock
from coordinator.drafting import plan_id
from coordinator.journal.store import Journal
from coordinator.plan import Plan
from coordinator.saga.machine import Abandoned, Failed, Opened
from deploy.demo.configuration import treasury_yaml
from deploy.demo.scenario import Accounts, create_keys, fund, solana_book
from deploy.localnet import Network
from deploy.localnet.levers import EvmLevers
from deploy.localnet.rpc import request

SENT = ("plan", "saga", "event", "attempt", "reservation")  # tables of the journal that a send would show in
BALANCE_OF = "0x70a08231"
FINALITY = 4  # blocks; enough for anvil's finalized tag
LOOKS = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


def command(*words: str) -> Outcome:
    """Run a command line in this process; what it wrote on each stream."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(list(words))
    return Outcome(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True, slots=True)
class Treasury:
    """One copy of the bench's treasury, to be broken: a folder with `treasury.yaml`, `keys/`, a journal and a good `plan.json`.

    `undo` takes back, when the case is over, what a case changes outside the folder.
    """

    folder: Path
    network: Network
    accounts: Accounts
    undo: ExitStack = field(default_factory=ExitStack)

    @property
    def file(self) -> Path:
        return self.folder / "treasury.yaml"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.sqlite3"

    def levers(self, chain: str) -> EvmLevers:
        return self.network.evm(chain)

    def edit(self, old: str, new: str) -> None:
        """Replace the first match of the pattern `old` in the configuration; there must be one."""
        changed, count = re.subn(old, new, self.file.read_text(), count=1)
        assert count, f"nothing in treasury.yaml matches {old}"
        self.file.write_text(changed)

    def forge(self, change: Callable[[Plan], Plan]) -> None:
        """Change the plan and give it the hash of its new content, as somebody would who wants to be believed."""
        plan = change(planfile.read(self.plan))
        planfile.write(replace(plan, id=plan_id(plan)), self.plan)

    def begin(self, *, give_up: bool) -> None:
        """Write down that the plan was begun, without sending anything; `give_up`: and that every leg came to nothing."""
        journal = Journal.open(self.journal, SystemClock())
        saga = journal.begin(planfile.read(self.plan))
        for leg in saga.legs.values() if give_up else ():
            journal.record(saga.id, leg, [Opened(leg.leg, ()), Failed("depart", "refused"), Abandoned("refused")])
        journal.close()

    def sql(self, *statements: str) -> None:
        """Do to the journal's file what the program never does."""
        with contextlib.closing(sqlite3.connect(self.journal)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    def settle(self) -> None:
        """Let what the levers did become final everywhere: a look shows finalized balances only."""
        for id_, book in self.network.book["chains"].items():
            if id_.startswith("eip155:"):
                self.levers(book["name"]).mine(FINALITY)
        solana = solana_book(self.network)["rpc"][0]
        slot = request(solana, "getSlot", {"commitment": "processed"})
        for _ in range(LOOKS):
            if request(solana, "getSlot", {"commitment": "finalized"}) >= slot:
                return
            time.sleep(0.1)
        raise AssertionError("Solana's slots do not become final")

    def run(self, *words: str) -> Outcome:
        """One command on this treasury, as `coordinator` runs it; `{plan}` and `{folder}` in its words are filled in."""
        filled = [word.format(folder=self.folder, plan=self.plan) for word in words]
        return command(*filled, *(() if words[:1] == ("solve",) else ("--config", str(self.file))))

    def traces(self) -> dict[str, Any]:
        """Everything that a sent transaction would change: counts and balances on every chain, and the journal's own tables."""
        found: dict[str, Any] = {"journal": _rows(self.journal)}
        for id_, book in self.network.book["chains"].items():
            if id_.startswith("eip155:"):
                sent = [request(book["rpc"][0], "eth_getTransactionCount", self.accounts.evm, tag) for tag in ("latest", "pending")]
                found[id_] = (*sent, *_held(book, self.accounts.evm))
        solana = solana_book(self.network)["rpc"][0]
        signed = request(solana, "getSignaturesForAddress", self.accounts.solana, {"limit": 1000})
        found["solana"] = (len(signed), request(solana, "getBalance", self.accounts.solana)["value"])
        return found


def prepare(network: Network, folder: Path) -> Treasury:
    """A funded treasury with a journal and a plan that is good for hours; made once, copied for every case."""
    accounts = create_keys(folder / "keys")
    fund(network, accounts)
    treasury = Treasury(folder, network, accounts)
    treasury.settle()
    treasury.file.write_text(treasury_yaml(network, accounts))
    treasury.edit("ttl: 15m\n  start_within: 1h", "ttl: 6h\n  start_within: 12h")
    made = treasury.run("plan", "--out", "{plan}")
    assert made.code == 10, made.err
    return treasury


def copy_of(treasury: Treasury, folder: Path) -> Treasury:
    """A copy to break: its own configuration, keys, journal and plan; the same accounts on the same chains."""
    shutil.copytree(treasury.folder, folder)
    return Treasury(folder, treasury.network, treasury.accounts)


def _held(book: dict[str, Any], account: str) -> list[str]:
    asked = BALANCE_OF + account.removeprefix("0x").rjust(64, "0")
    tokens = [book["contracts"][name] for name in ("USDC", "WETH", "WBTC")]
    held = [request(book["rpc"][0], "eth_call", {"to": token, "data": asked}, "latest") for token in tokens]
    return [*held, request(book["rpc"][0], "eth_getBalance", account, "latest")]


def _rows(journal: Path) -> dict[str, int]:
    """How many rows of each kind; none when the file cannot be read as a journal, for then nothing can have been written to it."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
            return {table: db.execute(f"select count(*) from {table}").fetchone()[0] for table in SENT}
    except sqlite3.DatabaseError:
        return {}


Change = Callable[[Treasury], object]
PLAN = ("plan",)
APPLY = ("apply", "{plan}")
STATUS = ("status",)


def edit(old: str, new: str) -> Change:
    """Replace the first match of a pattern in `treasury.yaml`."""
    return lambda treasury: treasury.edit(old, new)


def nothing(treasury: Treasury) -> None:
    """The treasury stays as it is: what is wrong lies in the command line."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table: what is wrong, the exit code, what the error must say, and the command that meets it.

    `unsaid` must appear nowhere in the output: secrets.
    """

    wrong: str
    change: Change
    exit: int
    said: tuple[str, ...]
    words: tuple[str, ...] = PLAN
    unsaid: str = ""

    def __str__(self) -> str:
        return self.wrong.replace(" ", "-")


def refused(case: Case, treasury: Treasury) -> Outcome:
    """Break the treasury, run the command, and hold it to the row: its exit code, its words, and nothing sent anywhere."""
    with treasury.undo:
        case.change(treasury)
        before = treasury.traces()
        outcome = treasury.run(*case.words)
        after = treasury.traces()
    told = f"exit {outcome.code}\n{outcome.err}"
    assert outcome.code == case.exit, told
    assert [text for text in case.said if text not in outcome.err] == [], told
    assert not case.unsaid or case.unsaid not in outcome.out + outcome.err
    assert after == before, "something was sent"
    return outcome
