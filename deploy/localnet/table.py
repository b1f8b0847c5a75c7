"""The table of the network's processes: what runs, with which command line and ports, and in which order."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.localnet import rpc
from deploy.localnet.evm.anvil import anvil_binary, running
from deploy.localnet.evm.state import DeployedState
from deploy.localnet.layout import (
    AGENT_PORT_OFFSETS,
    CLOCK_PORT_OFFSET,
    EVM_CHAINS,
    SOLANA_NAME,
    SOLANA_PORT_OFFSET,
    SOLANA_WS_PORT_OFFSET,
    EvmPlan,
)
from deploy.localnet.processes import Process

REPOSITORY = Path(__file__).parents[2]
SOLANA_MODULE = "deploy.localnet.solana"
AGENTS_PACKAGE = "deploy.localnet.agents"
CLOCK_NAME, CLOCK_MODULE = "clock", "deploy.localnet.clock"
KEEPER_NAME, KEEPER_MODULE = "keeper", "deploy.localnet.keeper"
EVM_ROUTERS = "evm-routers.json"


@dataclass(frozen=True, slots=True)
class Ports:
    """The network's ports, all within a hundred of its base."""

    base: int

    def evm(self, plan: EvmPlan) -> int:
        """An EVM chain's JSON-RPC port."""
        return self.base + plan.port_offset

    @property
    def all_evm(self) -> list[int]:
        """The EVM chains' ports in the plan's order."""
        return [self.evm(plan) for plan in EVM_CHAINS]

    @property
    def clock(self) -> int:
        """The block clock's control port."""
        return self.base + CLOCK_PORT_OFFSET

    @property
    def solana(self) -> int:
        """The Solana node's JSON-RPC port."""
        return self.base + SOLANA_PORT_OFFSET

    @property
    def solana_ws(self) -> int:
        """The Solana node's WebSocket port."""
        return self.base + SOLANA_WS_PORT_OFFSET


def evm_processes(ports: Ports, home: Path, state: Callable[[], DeployedState]) -> list[Process]:
    """One anvil a chain, started from the deployed state."""
    return [_anvil(plan, ports.evm(plan), home, state) for plan in EVM_CHAINS]


def clock_process(ports: Ports, home: Path) -> Process:
    """What has the EVM chains mine; it reads HOME/network.json."""
    return _python(CLOCK_NAME, CLOCK_MODULE, ["--port", str(ports.clock)], home, (ports.clock,))


def keeper_process(home: Path) -> Process:
    """What keeps the EVM oracles' prices fresh; it reads HOME/network.json."""
    return _python(KEEPER_NAME, KEEPER_MODULE, [], home, ())


def solana_processes(ports: Ports, home: Path) -> list[Process]:
    """The Solana node; it enrols the routers of HOME/evm-routers.json and writes HOME/solana.json when ready."""
    options = ["--port", str(ports.solana), "--ws-port", str(ports.solana_ws), "--evm-book", str(home / EVM_ROUTERS)]
    return [_python(SOLANA_NAME, SOLANA_MODULE, options, home, (ports.solana, ports.solana_ws))]


def agent_processes(ports: Ports, home: Path) -> list[Process]:
    """The off-chain agents; each reads HOME/network.json and writes HOME/NAME.json when ready."""
    return [
        _python(name, f"{AGENTS_PACKAGE}.{name}", ["--port", str(ports.base + offset)], home, (ports.base + offset,))
        for name, offset in AGENT_PORT_OFFSETS.items()
    ]


def child_environment() -> dict[str, str]:
    """This process's environment, with the repository importable from any working directory."""
    paths = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _anvil(plan: EvmPlan, port: int, home: Path, state: Callable[[], DeployedState]) -> Process:
    return Process(
        name=plan.name,
        command=lambda: running(anvil_binary(), port, plan.chain_id, state().file(plan), home / "anvil"),
        ports=(port,),
        probe=(rpc.local_url(port), "eth_chainId"),
    )


def _python(name: str, module: str, options: Sequence[str], home: Path, ports: Sequence[int]) -> Process:
    argv = [sys.executable, "-m", module, *options, "--home", str(home)]
    return Process(name, lambda: argv, ports, ready_file=home / f"{name}.json", ready_seconds=60)
