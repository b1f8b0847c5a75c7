"""The deployed state of the EVM chains: made once, dumped into the cache, and loaded on every start.

The cache key covers all that decides the state (pins, contracts, deployment code), so a change makes a new one.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.localnet import rpc
from deploy.localnet.evm.anvil import anvil_binary, deploying
from deploy.localnet.fetch import PINS, Say, cache_home, fetch_all, locked, say_on_stderr
from deploy.localnet.layout import EVM_CHAINS, EvmPlan
from deploy.localnet.processes import require_free

PACKAGE = Path(__file__).parents[1]
START_SECONDS = 20
STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class DeployedState:
    """A cached deployment: one state file a chain, and the address books by CAIP-2 id."""

    folder: Path

    def file(self, plan: EvmPlan) -> Path:
        """The state dump that chain's node loads."""
        return self.folder / f"{plan.name}.json"

    def books(self) -> dict[str, dict[str, Any]]:
        """Contracts and pools by CAIP-2 id."""
        books: dict[str, dict[str, Any]] = json.loads((self.folder / "contracts.json").read_text("utf-8"))
        return books


def deployed_state(ports: Sequence[int], say: Say = say_on_stderr) -> DeployedState:
    """The cached deployment, made now when there is none (on `ports`, one a chain, which must be free)."""
    folder = cache_home() / "state" / _key()
    with locked(folder.parent / ".lock"):
        if not folder.exists():
            _make(folder, ports, say)
    return DeployedState(folder)


def _key() -> str:
    code = [PACKAGE / name for name in ("accounts.py", "artifacts.py", "layout.py", "solc.py")]
    files = [PINS, *code, *sorted((PACKAGE / "evm").glob("*.py")), *sorted((PACKAGE / "contracts").glob("*.sol"))]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _make(folder: Path, ports: Sequence[int], say: Say) -> None:
    # Imported here: a start from the cached state needs neither web3 nor the compiler.
    from deploy.localnet.evm.deployment import deploy_everything
    from deploy.localnet.evm.node import EvmNode
    from deploy.localnet.solc import compile_contracts

    fetch_all(say)
    compiled = compile_contracts(say)
    began = time.monotonic()
    say("deploying all contracts on three fresh EVM chains")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as scratch:
        making = Path(scratch) / "state"
        making.mkdir()
        with _fresh_nodes(making, ports, say) as urls:
            nodes = [EvmNode(url, plan.chain_id) for url, plan in zip(urls, EVM_CHAINS, strict=True)]
            books = deploy_everything(nodes, compiled)
        (making / "contracts.json").write_text(json.dumps(books, indent=1), "utf-8")
        shutil.move(making, folder)
    say(f"deployed in {time.monotonic() - began:.1f} s")


@contextmanager
def _fresh_nodes(making: Path, ports: Sequence[int], say: Say) -> Iterator[list[str]]:
    """Three deploying anvils; leaving the block terminates them, which writes their dumps."""
    binary = anvil_binary(say)
    with ExitStack() as stack:
        urls = []
        for plan, port in zip(EVM_CHAINS, ports, strict=True):
            require_free(port, plan.name)
            command = deploying(binary, port, plan.chain_id, making / f"{plan.name}.json")
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(_terminate, process)
            urls.append(rpc.local_url(port))
        for url in urls:
            rpc.wait_for(url, START_SECONDS)
        yield urls


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
