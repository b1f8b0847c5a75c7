"""What gas costs now, as any endpoint tells it: enough to estimate and to offer, since caps bound what may be paid."""

from __future__ import annotations

import asyncio
from statistics import median_low

from chains.endpoint import Refused
from chains.evm import normal
from chains.rpc import EndpointPool
from chains.together import Together

_BLOCKS = 10  # of fee history, where no priority fee is suggested


class GasPrice:
    """The base fee of the newest block and a priority fee, wei a unit of gas."""

    def __init__(self, pool: EndpointPool) -> None:
        self._pool = pool
        self._now = Together(self._ask)

    async def now(self) -> tuple[int, int]:
        """(base fee, suggested priority fee)."""
        return await self._now.answer()

    async def _ask(self) -> tuple[int, int]:
        block, priority = await asyncio.gather(
            self._pool.observe("eth_getBlockByNumber", ["latest", False], normal.block), self._suggested_priority()
        )
        return int(block.get("baseFeePerGas", "0x0"), 16), priority

    async def _suggested_priority(self) -> int:
        try:
            return int(await self._pool.observe("eth_maxPriorityFeePerGas", [], normal.plain), 16)
        except Refused:  # not every node offers it: take what half the gas of the last blocks paid, at the median block
            history = await self._pool.observe("eth_feeHistory", [hex(_BLOCKS), "latest", [50]], normal.rewards)
            return median_low([int(reward, 16) for reward in history])
