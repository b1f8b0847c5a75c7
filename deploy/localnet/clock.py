"""The block clock: a process that has each EVM chain mine a block at a steady interval.

anvil's own interval mining keeps every block's state in memory for good (about 0.3 MB a block); asked from outside it
keeps the last few only. Controls at `/control`: one switch a chain by name (`{"gamma": false}` stops gamma's blocks),
and `paused` for all of them. Run as `python -m deploy.localnet.clock --home DIR --port P`.
"""

import asyncio
import logging
from typing import Any

from aiohttp import ClientError, ClientSession, web

from deploy.localnet.agents.process import Controls, run

BLOCK_SECONDS = 0.25
ONE_BLOCK = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": []}

log = logging.getLogger("clock")


class Clock:
    """Ticks every chain of the address book that has its switch on."""

    delays_answers = False

    def __init__(self, book: dict[str, Any], session: ClientSession) -> None:
        evm = [chain for caip2, chain in book["chains"].items() if caip2.startswith("eip155:")]
        self._nodes: dict[str, str] = {chain["name"]: chain["rpc"][0] for chain in evm}
        self._session = session
        self._blocks = 0
        self.controls = Controls(dict.fromkeys(self._nodes, True))

    def routes(self) -> list[web.RouteDef]:
        """Nothing beside the controls."""
        return []

    def state(self) -> dict[str, Any]:
        """How many blocks were asked for so far, over all chains."""
        return {"blocks": self._blocks}

    async def work(self) -> None:
        """Tick until cancelled. The interval is kept on average: a late tick shortens the next wait."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await asyncio.gather(*(self._tick(name, url) for name, url in self._nodes.items()))
            due = max(due + BLOCK_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _tick(self, name: str, url: str) -> None:
        if self.controls.paused or not self.controls.own[name]:
            return
        try:
            async with self._session.post(url, json=ONE_BLOCK) as response:
                await response.read()
        except (ClientError, TimeoutError) as failure:
            # A chain that starts, stops or is busy gets its block at a later tick.
            log.debug("%s: %s", name, failure)
        else:
            self._blocks += 1


if __name__ == "__main__":
    run("clock", Clock)
