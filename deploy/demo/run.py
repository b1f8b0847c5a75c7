"""The demo, step by step, with the same commands that an operator types; it succeeds only if everything it claims holds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from coordinator.exits import Exit
from coordinator.show import tables
from deploy.demo.configuration import treasury_yaml
from deploy.demo.report import judge, report_of
from deploy.demo.scenario import create_keys, fund
from deploy.localnet import Network
from deploy.localnet.fetch import FetchError
from deploy.localnet.layout import DEFAULT_PORT_BASE
from deploy.localnet.network import NetworkError
from deploy.localnet.processes import PortTaken, ProcessError
from deploy.localnet.rpc import RpcError
from deploy.localnet.solc import CompileError

Draw = Callable[[dict[str, Any], Console], None]


class DemoError(Exception):
    """A step did not do what it should."""


def run(
    home: Path,
    *,
    port_base: int = DEFAULT_PORT_BASE,
    report: Path = Path("demo-report.json"),
    keep: bool = True,
    only_prepare: bool = False,
) -> int:
    """Exit code: 0 when bands, hops, transfers and the books are all as they must be; 1 when not, with the reason; 130 on Ctrl-C."""
    began = time.monotonic()
    try:
        network, folder = prepare(home, port_base)
        if only_prepare:
            say(f"ready: {folder}/treasury.yaml")
            return 0
        outcome = rebalance(folder)
    except (DemoError, NetworkError, FetchError, CompileError, ProcessError, RpcError) as problem:
        say(f"FAILED: {problem}")
        if isinstance(problem, PortTaken):
            say(f"On other ports: {sys.executable} -m deploy.demo --port-base {port_base + 2500}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted. The local network still runs: `make demo` begins again, `make down` stops it")
        return 130
    found = report_of(folder, outcome, seconds=round(time.monotonic() - began, 1))
    report.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    problems = judge(found)
    for wrong in problems:
        say(f"NOT AS IT MUST BE: {wrong}")
    if not keep:
        network.down()
    verdict = "FAILED" if problems else "all bands met, fewest hops proven, ledger minus chain = 0 base units everywhere"
    say(f"{verdict}; {report}; {found['seconds']} s")
    say(f"Look around: .venv/bin/coordinator serve -c {folder}/treasury.yaml   Stop the network: make down")
    return 1 if problems else 0


def prepare(home: Path, port_base: int) -> tuple[Network, Path]:
    """The network up and fresh, and a new unbalanced treasury on it; returns the treasury's folder."""
    say("[1/5] the local network: three EVM chains and Solana, with real contracts and their off-chain agents")
    folder = home.absolute() / "demo"
    used = folder.exists()
    network = Network.up(home, port_base)
    if used:
        say("      an earlier demo used it: back to the fresh state")
        network.reset()
        shutil.rmtree(folder)
    say("[2/5] an unbalanced treasury: new keys, funds minted, wrapped and transferred")
    accounts = create_keys(folder / "keys")
    fund(network, accounts)
    (folder / "treasury.yaml").write_text(treasury_yaml(network, accounts), encoding="utf-8")
    return network, folder


def rebalance(folder: Path) -> dict[str, Any]:
    """Status, plan, apply, status: the views of each, drawn as the commands themselves draw them."""
    say("[3/5] what there is, and what would bring it inside its bands")
    before = coordinator(folder, "status", draw=tables.status)
    plan_file = folder / "plan.json"
    plan = coordinator(folder, "plan", "--out", str(plan_file), draw=tables.plan, expect=Exit.CHANGES)
    say("[4/5] carrying it out")
    applied = coordinator(folder, "apply", str(plan_file), draw=tables.transfers)
    say("[5/5] what there is now")
    return {"before": before, "plan": plan, "applied": applied, "after": coordinator(folder, "status", draw=tables.status)}


def coordinator(folder: Path, command: str, *words: str, draw: Draw, expect: Exit = Exit.OK) -> dict[str, Any]:
    """Run one command as an operator would, show the person its table, and return its data."""
    say(f"$ coordinator {command} {' '.join(words)}")
    line = [sys.executable, "-m", "coordinator", command, *words, "--json", "--config", str(folder / "treasury.yaml")]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != expect:
        raise DemoError(f"coordinator {command} ended with exit code {done.returncode}, expected {int(expect)}")
    view: dict[str, Any] = json.loads(done.stdout)
    draw(view, Console(highlight=False))
    return view


def say(text: str) -> None:
    print(text, flush=True)
