"""What a start may load: looking and helping come before the heavy libraries, which wait until something is signed or solved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.clock import SystemClock
from coordinator.journal.store import Journal
from tests.coordinator.rehearsal import ADDRESS, TEXT, USDC_A, USDC_B

ROOT = Path(__file__).parents[2]
HEAVY = {"web3", "eth_account", "py_ecc", "solana", "scipy", "numpy", "highspy", "networkx", "alembic"}
DATABASE = {"sqlalchemy", "cattrs"}
NETWORK = {"aiohttp"}
ENDPOINT = '{"url": "http://127.0.0.1:1", "trust_domain": "nobody"}'
NATIVE = '{"asset": "ETH", "decimals": 18, "slip44": 60}'
SOL = '{"asset": "SOL", "decimals": 9, "slip44": 501}'


def loaded(program: str) -> set[str]:
    """Top-level modules that a new process has loaded after it ran `program`."""
    report = "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", program + report], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def command(*words: str) -> str:
    return f"from coordinator.cli import run\nassert run({list(words)!r}) == 0"


@pytest.fixture
def treasury(tmp_path: Path) -> Path:
    """A treasury in memory whose journal exists already: making its tables is what alembic is for."""
    path = tmp_path / "treasury.yaml"
    path.write_text(TEXT.format(folder=tmp_path, world="start", address=ADDRESS, usdc_a=USDC_A, usdc_b=USDC_B, latency=5), encoding="utf-8")
    Journal.open(tmp_path / "journal.sqlite3", SystemClock()).close()
    return path


def test_help__start__loads_neither_network_nor_database_nor_solver() -> None:
    assert loaded(command("--help")) & (HEAVY | DATABASE | NETWORK) == set()


@pytest.mark.parametrize("words", [("status",), ("status", "--json"), ("transfers",), ("ledger",), ("audit", "verify")])
def test_look__start__loads_nothing_that_signs_or_solves(words: tuple[str, ...], treasury: Path) -> None:
    assert loaded(command(*words, "--config", str(treasury))) & HEAVY == set()


@pytest.mark.parametrize("words", [("transfers",), ("ledger",)])
def test_list_of_what_happened__start__connects_to_nothing(words: tuple[str, ...], treasury: Path) -> None:
    assert loaded(command(*words, "--config", str(treasury))) & NETWORK == set()


def test_first_question__when_it_is_asked__no_database_is_loaded(treasury: Path) -> None:
    program = f"""
import asyncio, sys
from pathlib import Path
import coordinator.commands.looking
from coordinator.app import App
from coordinator.clock import SystemClock
from coordinator.config.load import load
from coordinator.turn import look

class Asked:
    def __init__(self, chain):
        self.chain = chain
    def __getattr__(self, name):
        return getattr(self.chain, name)
    async def snapshot(self, *asked):
        early.append({DATABASE!r} & sys.modules.keys())
        return await self.chain.snapshot(*asked)

early = []
app = App.open(load(Path({str(treasury)!r})), SystemClock(), keys=False)
vars(app)["chains"] = {{name: Asked(chain) for name, chain in app.chains.items()}}
asyncio.run(look(app))
assert early == [set(), set()], early"""
    assert loaded(program) >= DATABASE


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ("EvmSettings", f'{{"id": "eip155:1", "name": "one", "endpoints": [{ENDPOINT}], "native": {NATIVE}}}'),
        ("SolanaSettings", f'{{"id": "solana:{"1" * 32}", "name": "two", "endpoints": [{ENDPOINT}], "native": {SOL}}}'),
    ],
)
def test_real_chain__looked_at__loads_nothing_that_signs(settings: str, body: str) -> None:
    program = f"""
import asyncio
from chains.errors import Fault
from chains.registry import CHAINS
from chains.settings import {settings} as Settings
settings = Settings.model_validate({body})
async def look() -> None:
    chain = CHAINS[settings.kind].build(settings, {{}})
    for ask in (chain.head(), chain.snapshot([], [chain.native]), chain.fee(1)):
        try:
            await ask
        except Fault:
            pass
        else:
            raise AssertionError("nobody is there")
    await chain.aclose()
asyncio.run(look())
import chains.evm.multicall, chains.evm.reverts"""
    assert loaded(program) & (HEAVY | DATABASE) == set()
