"""The local network's command line: `python -m deploy.localnet up|down|status|reset`."""

import argparse
import sys
import time
from pathlib import Path

from deploy.localnet.evm.state import deployed_state
from deploy.localnet.fetch import FetchError
from deploy.localnet.layout import DEFAULT_HOME, DEFAULT_PORT_BASE
from deploy.localnet.network import Network, NetworkError
from deploy.localnet.processes import ProcessError
from deploy.localnet.rpc import RpcError
from deploy.localnet.solc import CompileError
from deploy.localnet.table import Ports

EXIT_OK, EXIT_NOT_HEALTHY, EXIT_REFUSED, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done (status: all healthy), 1 not healthy, 2 refused or failed with one line of why."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (NetworkError, FetchError, CompileError, ProcessError, RpcError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        print("interrupted: what was started still runs; run it again, or `down` to stop it", file=sys.stderr)
        return EXIT_INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "up":
            began = time.monotonic()
            network = Network.up(options.home, options.port_base, evm_only=options.evm_only)
            _show(network)
            print(f"ready in {time.monotonic() - began:.1f} s; address book: {network.home / 'network.json'}")
        case "fetch":
            deployed_state(Ports(options.port_base).all_evm)
        case "down":
            stopped = Network.open(options.home).down()
            print(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
        case "reset":
            network = Network.open(options.home)
            network.reset()
            _show(network)
        case "status":
            return EXIT_OK if _show(Network.open(options.home)) else EXIT_NOT_HEALTHY
    return EXIT_OK


def _show(network: Network) -> bool:
    """Print a line a process; whether all are ready."""
    standings = network.status()
    places = {chain["name"]: chain["rpc"][0] for chain in network.book["chains"].values()}
    places |= network.book["services"]
    for standing in standings:
        word = "ready" if standing.ready else "not ready" if standing.running else "down"
        print(f"{standing.name:<10} {word:<10} {places.get(standing.name, '')}".rstrip())
    return all(standing.ready for standing in standings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.localnet",
        description="A local network of real protocol contracts: three EVM chains, Solana, and their off-chain agents.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "up": "start what is not running and wait until it is ready",
        "down": "stop everything",
        "status": "show what runs; exit code 0 when all of it is healthy, else 1",
        "reset": "go back to the freshly deployed state",
        "fetch": "only fill the cache: downloads, compiled contracts, deployed state",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--home", type=Path, default=Path(DEFAULT_HOME), help=f"default ./{DEFAULT_HOME}")
        if name in ("up", "fetch"):
            command.add_argument("--port-base", type=int, default=DEFAULT_PORT_BASE, help="first of a hundred ports")
        if name == "up":
            command.add_argument("--evm-only", action="store_true", help="neither Solana nor the agents")
    return parser


if __name__ == "__main__":
    sys.exit(main())
