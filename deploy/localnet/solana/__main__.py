"""The process `python -m deploy.localnet.solana`: the local Solana until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

from deploy.localnet.fetch import fetch
from deploy.localnet.solana.node import Chain, serve
from deploy.localnet.solana.node.chain import FINALIZE_SLOTS
from deploy.localnet.solana.node.errors import INVALID_PARAMS, RpcError
from deploy.localnet.solana.node.methods import Method
from deploy.localnet.solana.node.params import Params
from deploy.localnet.solana.programs import HYPERLANE_PACKAGE, hyperlane_programs
from deploy.localnet.solana.setup import describe, enroll_router, mint_to, set_up

log = logging.getLogger("solana")
SLOT_MS = 100


def _enroll_router(chain: Chain, params: Params) -> Any:
    """[Hyperlane domain, warp route's EVM address]."""
    try:
        enroll_router(chain, params.number(0), params.text(1))
    except (ValueError, RuntimeError) as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error
    return True


def _mint_to(chain: Chain, params: Params) -> Any:
    """[mint, owner, units] -> signature."""
    try:
        return mint_to(chain, params.pubkey(0), params.pubkey(1), params.number(2))
    except (ValueError, RuntimeError) as error:
        raise RpcError(INVALID_PARAMS, str(error)) from error


CONTROLS: dict[str, Method] = {"localnet_enrollRouter": _enroll_router, "localnet_mintTo": _mint_to}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.localnet.solana", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="JSON-RPC over HTTP, on 127.0.0.1")
    parser.add_argument("--ws-port", type=int, help="WebSocket; the HTTP port when left out")
    parser.add_argument("--home", type=Path, required=True, help="where solana.json and logs/solana.log are written")
    parser.add_argument("--slot-ms", type=int, default=SLOT_MS, help="length of a slot in milliseconds")
    parser.add_argument("--finalize-slots", type=int, default=FINALIZE_SLOTS, help="slots from processed to finalized")
    parser.add_argument("--evm-book", type=Path, help='JSON {"31337001": "0xWarpRoute", ...}: routers to enroll')
    return parser.parse_args()


def _routers(evm_book: Path | None, network: Path) -> dict[int, str]:
    """Warp routes of the EVM chains by Hyperlane domain: from the file given, else from the network's book so far."""
    if evm_book is not None:
        return {int(domain): router for domain, router in json.loads(evm_book.read_text()).items()}
    if not network.exists():
        return {}
    chains = json.loads(network.read_text())["chains"].values()
    known = ((chain["hyperlane_domain"], chain.get("contracts", {}).get("HyperlaneWarpUSDC")) for chain in chains)
    return {domain: router for domain, router in known if router}


async def _run(arguments: argparse.Namespace) -> None:
    home: Path = arguments.home
    chain = Chain(slot_ms=arguments.slot_ms, finalize_slots=arguments.finalize_slots)
    set_up(chain, hyperlane_programs(fetch(HYPERLANE_PACKAGE)), _routers(arguments.evm_book, home / "network.json"))
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with await serve(chain, arguments.port, arguments.ws_port, auto=True, more=CONTROLS) as server:
        partial = home / f".solana.json.{os.getpid()}"
        partial.write_text(json.dumps(describe(server.url, server.ws_url), indent=1))
        partial.replace(home / "solana.json")
        log.info("ready at %s, slots of %d ms", server.url, arguments.slot_ms)
        stop = asyncio.create_task(stopped.wait())
        done, _ = await asyncio.wait({stop, server.clock} if server.clock else {stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a clock that failed ends the process with its reason in the log
    log.info("stopped at slot %d", chain.slots.now)


def main() -> None:
    arguments = _arguments()
    (arguments.home / "logs").mkdir(parents=True, exist_ok=True)
    (arguments.home / "solana.json").unlink(missing_ok=True)  # a leftover would say "ready" too early
    logging.basicConfig(filename=arguments.home / "logs" / "solana.log", level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_run(arguments))


if __name__ == "__main__":
    main()
