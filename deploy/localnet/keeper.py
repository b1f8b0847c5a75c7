"""The price keeper: a process that publishes the EVM oracles' present answers again before they grow old.

On public chains the oracle networks do this. It never changes a price, and leaves alone what was published lately, so
a price that a test or the demo sets stays as set. Run as `python -m deploy.localnet.keeper --home DIR`.
"""

import argparse
import json
import logging
import signal
import threading
from pathlib import Path
from types import FrameType

from requests.exceptions import RequestException
from web3.exceptions import Web3Exception

from deploy.localnet.evm.node import NodeError
from deploy.localnet.layout import EVM_CHAINS
from deploy.localnet.levers import EvmLevers

LOOK_SECONDS = 10
OLD_SECONDS = 60

log = logging.getLogger("keeper")


def keep(levers: EvmLevers, old_seconds: int = OLD_SECONDS) -> list[str]:
    """Publish again every feed of one chain that is older than that; their names."""
    now = levers.node.web3.eth.get_block("latest")["timestamp"]
    old = [feed for feed, published in levers.published().items() if now - published > old_seconds]
    if old:
        levers.refresh_prices(old)
    return old


def main() -> None:
    """Keep all chains' prices fresh until SIGTERM; a chain that does not answer is tried again at the next look."""
    parser = argparse.ArgumentParser(prog="python -m deploy.localnet.keeper", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="holds network.json; keeper.json is written here")
    home: Path = parser.parse_args().home
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    book = json.loads((home / "network.json").read_text("utf-8"))
    chains = {plan.name: EvmLevers(plan.chain_id, book["chains"][plan.caip2]) for plan in EVM_CHAINS}
    (home / "keeper.json").write_text("{}\n")
    while not stopped.wait(LOOK_SECONDS):
        for name, levers in chains.items():
            _look(name, levers)


def _look(name: str, levers: EvmLevers) -> None:
    try:
        published = keep(levers)
    except (NodeError, Web3Exception, RequestException) as failure:
        log.warning("%s: %s", name, failure)
    else:
        if published:
            log.info("%s: published %s again", name, ", ".join(published))


if __name__ == "__main__":
    main()
