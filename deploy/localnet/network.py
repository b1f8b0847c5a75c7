"""The local network as one thing: bring it up, look at it, reset it, take it down."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.localnet import rpc
from deploy.localnet.accounts import Role, address
from deploy.localnet.evm.state import DeployedState, deployed_state
from deploy.localnet.fetch import Say, locked, say_on_stderr
from deploy.localnet.layout import (
    DEFAULT_HOME,
    DEFAULT_PORT_BASE,
    EVM_CHAINS,
    PYTH_FEEDS,
    SOLANA_NAME,
    evm_chain,
)
from deploy.localnet.processes import Process, Supervisor
from deploy.localnet.table import (
    EVM_ROUTERS,
    Ports,
    agent_processes,
    child_environment,
    clock_process,
    evm_processes,
    keeper_process,
    solana_processes,
)

if TYPE_CHECKING:
    from deploy.localnet.levers import EvmLevers

BOOK = "network.json"
SETTINGS = "settings.json"
SOLANA_WARP = "warp_usdc"
BOOK_VERSION = 1
# The latest blocks a dump ends with cannot be read back, so `finalized` must move past them before anyone looks.
FRESH_BLOCKS = 4


class NetworkError(Exception):
    """The network is not in the state a command needs; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one process stands: `running` (it lives) and `ready` (it lives and answers)."""

    name: str
    running: bool
    ready: bool


class Network:
    """A local network living in `home`, on ports from `port_base` to `port_base + 99`."""

    def __init__(self, home: Path, port_base: int, *, evm_only: bool = False, say: Say = say_on_stderr) -> None:
        self.home = home.absolute()
        self.ports = Ports(port_base)
        self.evm_only = evm_only
        self._say = say
        self._supervisor = Supervisor(self.home, child_environment())

    # ---- life ----

    @classmethod
    def up(
        cls,
        home: Path | str = DEFAULT_HOME,
        port_base: int = DEFAULT_PORT_BASE,
        *,
        evm_only: bool = False,
        say: Say = say_on_stderr,
    ) -> "Network":
        """Start what is not running, wait until all of it is ready, and return the network.

        Raises NetworkError, FetchError (downloads) or ProcessError (a child that does not start).
        """
        network = cls(Path(home), port_base, evm_only=evm_only, say=say)
        with locked(network.home / ".lock"):
            network._check_settings()
            network._start()
        return network

    @classmethod
    def open(cls, home: Path | str = DEFAULT_HOME, *, say: Say = say_on_stderr) -> "Network":
        """The network that was brought up in `home` (running or not); NetworkError when there was none."""
        settings = _read_json(Path(home) / SETTINGS)
        if settings is None:
            raise NetworkError(f"no local network in {Path(home).absolute()}: run `python -m deploy.localnet up` first")
        return cls(Path(home), settings["port_base"], evm_only=settings["evm_only"], say=say)

    def down(self) -> list[str]:
        """Stop every process of this network; the names stopped."""
        with locked(self.home / ".lock"):
            return self._stop()

    def reset(self) -> None:
        """Back to the freshly deployed state: stop everything, and start it from the cached deployment."""
        with locked(self.home / ".lock"):
            self._stop()
            self._start()

    def status(self) -> list[Standing]:
        """How each process stands, in starting order."""
        look = self._supervisor
        wanted = self._evm_side() if self.evm_only else self._processes()
        return [Standing(each.name, look.is_running(each), look.is_ready(each)) for each in wanted]

    # ---- use ----

    @property
    def book(self) -> dict[str, Any]:
        """The address book, network.json, parsed; NetworkError when the network was never up."""
        book = _read_json(self.home / BOOK)
        if book is None:
            raise NetworkError(f"{self.home / BOOK} is missing: run `python -m deploy.localnet up` first")
        return book

    def evm(self, chain: str) -> "EvmLevers":
        """The levers of an EVM chain, by name ("alpha") or CAIP-2 id."""
        from deploy.localnet.levers import EvmLevers

        plan = evm_chain(chain)
        return EvmLevers(plan.chain_id, self.book["chains"][plan.caip2], rpc.local_url(self.ports.clock))

    def set_price(self, feed: str, dollars: Decimal | int | str) -> None:
        """Publish a price now on every EVM chain's oracles and in the Hermes-shaped price service."""
        self._on_each_evm(lambda levers: levers.set_price(feed, dollars))
        if "hermes" in self.book["services"]:
            self.control("hermes", {"prices": {feed: str(dollars)}})

    def control(self, agent: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change an agent's controls (`{"paused": true}`, `{"delay_s": 5.0}`, `{"fail_next": 1}`); its new state."""
        services = self.book["services"]
        if agent not in services:
            raise NetworkError(f"no service {agent!r} in this network; it has {', '.join(services) or 'none'}")
        return rpc.set_controls(services[agent], changes)

    def keep_prices(self, on: bool) -> None:
        """Stop or start the price keeper; without it the EVM oracles' prices grow old."""
        keeper = keeper_process(self.home)
        if on:
            self._launch([keeper])
            self._await_ready([keeper])
        else:
            self._supervisor.stop([keeper])

    # ---- how ----

    def _check_settings(self) -> None:
        """One home holds one network: refuse other ports while it runs on the recorded ones."""
        recorded = _read_json(self.home / SETTINGS) or {}
        if recorded.get("port_base", self.ports.base) != self.ports.base:
            earlier = Network.open(self.home, say=self._say)
            if any(standing.running for standing in earlier.status()):
                raise NetworkError(
                    f"{self.home} holds a network running on port base {recorded['port_base']}, not {self.ports.base}: "
                    "take it down first (`python -m deploy.localnet down`), or choose another --home"
                )
        wanted = {"port_base": self.ports.base, "evm_only": self.evm_only}
        _write_json(self.home / SETTINGS, recorded | wanted)

    def _processes(self) -> list[Process]:
        """All that may run, in starting order."""
        return [*self._evm_side(), *solana_processes(self.ports, self.home), *agent_processes(self.ports, self.home)]

    def _evm_side(self) -> list[Process]:
        clock, keeper = clock_process(self.ports, self.home), keeper_process(self.home)
        return [*evm_processes(self.ports, self.home, self._state), clock, keeper]

    def _state(self) -> DeployedState:
        """The deployment the running chains came from; when none runs, the present code's deployment."""
        settings = _read_json(self.home / SETTINGS) or {}
        recorded = DeployedState(Path(settings.get("state", self.home / "none")))
        running = any(self._supervisor.is_running(each) for each in evm_processes(self.ports, self.home, lambda: recorded))
        if running and recorded.folder.exists():
            return recorded
        state = deployed_state(self.ports.all_evm, self._say)
        _write_json(self.home / SETTINGS, settings | {"state": str(state.folder)})
        return state

    def _start(self) -> None:
        state = self._state()
        chains = [*evm_processes(self.ports, self.home, lambda: state), clock_process(self.ports, self.home)]
        solana = [] if self.evm_only else solana_processes(self.ports, self.home)
        self._write_evm_routers(state)
        self._compose(state, [])
        # All at once: Solana needs only the routers, the clock only the address book, and most of a start is loading.
        started = self._launch([*chains, *solana])
        self._await_ready(chains)
        self._freshen(started)
        self._await_ready(solana)
        self._compose(state, [*chains, *solana])
        rest = [keeper_process(self.home), *([] if self.evm_only else agent_processes(self.ports, self.home))]
        self._launch(rest)
        if solana:
            self._wire_solana()
        self._await_ready(rest)
        self._compose(state, [*chains, *solana, *rest])

    def _launch(self, processes: Sequence[Process]) -> list[str]:
        """Start those that do not run; their names."""
        started = [process for process in processes if not self._supervisor.is_running(process)]
        for process in started:
            self._supervisor.start(process)
        return [process.name for process in started]

    def _await_ready(self, processes: Sequence[Process]) -> None:
        for process in processes:
            self._supervisor.wait_ready(process)

    def _stop(self) -> list[str]:
        # Agents first: they should not see their chains vanish.
        return self._supervisor.stop(list(reversed(self._processes())))

    def _freshen(self, started: Sequence[str]) -> None:
        """Bring loaded chains into the present: new blocks, and prices published now."""
        for plan in EVM_CHAINS:
            if plan.name in started:
                rpc.request(rpc.local_url(self.ports.evm(plan)), "anvil_mine", hex(FRESH_BLOCKS))
        self._on_each_evm(lambda levers: levers.refresh_prices())

    def _write_evm_routers(self, state: DeployedState) -> None:
        """Tell the Solana process which warp routes to enrol: a JSON object of EVM domain to address."""
        books = state.books()
        routers = {str(plan.chain_id): books[plan.caip2]["contracts"]["HyperlaneWarpUSDC"] for plan in EVM_CHAINS}
        _write_json(self.home / EVM_ROUTERS, routers)

    def _wire_solana(self) -> None:
        """Enrol Solana's warp route with each EVM chain's (Solana's side is wired by its own process)."""
        from solders.pubkey import Pubkey

        report = _read_json(self.home / f"{SOLANA_NAME}.json") or {}
        router = bytes(Pubkey.from_string(report["programs"][SOLANA_WARP]))
        self._on_each_evm(lambda levers: levers.enrol_router(report["hyperlane_domain"], router))

    def _on_each_evm(self, pull: Callable[["EvmLevers"], object]) -> None:
        """Pull a lever on all EVM chains at once: each waits for blocks of its own."""
        with ThreadPoolExecutor(len(EVM_CHAINS)) as pool:
            list(pool.map(lambda plan: pull(self.evm(plan.name)), EVM_CHAINS))

    def _compose(self, state: DeployedState, others: Sequence[Process]) -> None:
        """Write network.json from the deployment's books and what the other processes reported."""
        deployed = state.books()
        chains: dict[str, Any] = {}
        for plan in EVM_CHAINS:
            chains[plan.caip2] = {
                "name": plan.name,
                "rpc": [rpc.local_url(self.ports.evm(plan))],
                "cctp_domain": plan.cctp_domain,
                "hyperlane_domain": plan.chain_id,
                **deployed[plan.caip2],
            }
        services: dict[str, Any] = {}
        for process in others:
            report = _read_json(self.home / f"{process.name}.json") or {}
            services |= report.get("services", {})
            if "id" in report:
                chains[report.pop("id")] = report
        _write_json(
            self.home / BOOK,
            {
                "version": BOOK_VERSION,
                "chains": chains,
                "services": services,
                "pyth_feeds": PYTH_FEEDS,
                "public_dev_accounts": {role.name.lower(): address(role) for role in Role},
            },
        )


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return value


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a file in one step, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
    partial.rename(path)
