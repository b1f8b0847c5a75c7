"""What happened on an EVM chain, as the quorum proves it: receipts, events, and who took a nonce."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from chains.base import Height, Receipt
from chains.endpoint import Refused
from chains.errors import Unknowable
from chains.evm import normal
from chains.evm.heights import Heights
from chains.evm.receipts import fee_of, log_of, native_movements, token_movements
from chains.ids import AccountId
from chains.keccak import checksummed
from chains.rpc import EndpointPool
from chains.settings import EvmSettings

_NO_SUCH_METHOD = (-32601, -32004)  # JSON-RPC 2.0; EIP-1474 "method not supported"
_LOOK_BACK = 64  # doublings and halvings at most when searching the block that took a nonce
_REMEMBERED = 1024  # transactions whose movements are kept while somebody waits for their finality
_SPAN = 1000  # most chunks of logs one search may read
BLIND = "native coin moved inside transactions is not seen: no endpoint offers debug_traceTransaction (or traces are off)"


class History:
    """Reads that decide, about the past. `blind_spots` grows when the endpoints turn out not to offer traces."""

    def __init__(self, settings: EvmSettings, pool: EndpointPool, heights: Heights) -> None:
        self._settings = settings
        self._pool = pool
        self._heights = heights
        self._moved: dict[tuple[str, str], Sequence[Sequence[str]]] = {}  # by transaction and block hash, which together fix the answer
        self.blind_spots: list[str] = [] if settings.traces else [BLIND]

    async def receipt(self, reference: str, final: Height) -> Receipt | None:
        """`final`: the finalized height, found before this is asked. Raises Unknowable while blocks are being replaced."""
        return await self._found(reference, final, needs_trace=True)

    async def _found(self, reference: str, final: Height, *, needs_trace: bool) -> Receipt | None:
        raw = await self._decide("eth_getTransactionReceipt", [reference])
        return None if raw is None else await self._receipt(raw, final, needs_trace=needs_trace)

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        """Tokens are what is searched for, by their events: a trace that a node no longer has for an old block does not hide them."""
        newest = await self._heights.newest()
        final = await self._heights.finalized()
        step = self._settings.log_range
        starts = range(max(since, 0), newest + 1, step)
        if len(starts) > _SPAN:
            raise Unknowable(f"{self._settings.name}: {newest - since} blocks are too many for one search; begin later than {since}")
        references: dict[str, None] = {}
        for start in starts:
            window = {"address": address, "topics": list(topics), "fromBlock": hex(start), "toBlock": hex(min(start + step - 1, newest))}
            for log in await self._decide("eth_getLogs", [window]) or []:
                references[log["transactionHash"]] = None
        found = await asyncio.gather(*(self._found(reference, final, needs_trace=False) for reference in references))
        return [receipt for receipt in found if receipt is not None]

    async def taker(self, account: str, nonce: int, final: Height) -> tuple[str, int] | None:
        """(hash, block number) of the transaction that used the account's nonce, at or below `final`; None when it can't be shown.

        Steps back in doubling strides to a block where the nonce was unused, then halves: the last block before use is
        found in about 2 log2(age) reads, without asking for state older than needed.
        """
        used, unused, stride = final.number, final.number, 1
        for _ in range(_LOOK_BACK):
            unused = max(0, used - stride)
            if await self._count(account, unused) <= nonce or unused == 0:
                break
            used, stride = unused, stride * 2
        while used - unused > 1:
            middle = (used + unused) // 2
            if await self._count(account, middle) > nonce:
                used = middle
            else:
                unused = middle
        block = await self._decide("eth_getBlockByNumber", [hex(used), True])
        for transaction in block["transactions"] if block else []:
            if transaction["from"] == account.lower() and int(transaction["nonce"], 16) == nonce:
                return transaction["hash"], used
        return None

    async def _count(self, account: str, number: int) -> int:
        return int(await self._decide("eth_getTransactionCount", [account, hex(number)]), 16)

    async def _receipt(self, raw: Mapping[str, Any], final: Height, *, needs_trace: bool) -> Receipt:
        height = await self._canonical(raw)
        succeeded = int(raw["status"], 16) == 1
        logs = tuple(log_of(log) for log in raw["logs"])
        moved = token_movements(self._settings.id, logs, self._settings.wrapped_native)
        if succeeded:
            moved += native_movements(self._settings.native_token, await self._native_transfers(raw, needs_trace))
        return Receipt(
            chain=self._settings.id,
            reference=raw["transactionHash"],
            sender=AccountId(self._settings.id, checksummed(raw["from"])),
            height=height,
            succeeded=succeeded,
            final=height.number <= final.number,
            fee=fee_of(raw),
            movements=tuple(moved),
            logs=logs,
            reason="" if succeeded else await self._reason(raw["transactionHash"], height),
        )

    async def _canonical(self, raw: Mapping[str, Any]) -> Height:
        """The receipt's block. Raises Unknowable when another one stands in its place."""
        height = await self._heights.at(int(raw["blockNumber"], 16))
        if height.hash != raw["blockHash"]:
            raise Unknowable(f"{self._settings.name}: the block of {raw['transactionHash']} is being replaced")
        return height

    async def _native_transfers(self, raw: Mapping[str, Any], needs_trace: bool) -> Sequence[Sequence[str]]:
        """From the trace; without one, the transaction's own value only (see `blind_spots`)."""
        key = (raw["transactionHash"], raw["blockHash"])
        if key not in self._moved:
            try:
                found = await self._find_native_transfers(raw)
            except Refused:
                if needs_trace:
                    raise
                return await self._own_value(raw)  # not kept: whoever needs the trace must still ask for it
            await self._canonical(raw)  # still: else the trace may be of another block, and must not be kept for this one
            self._moved[key] = found
            if len(self._moved) > _REMEMBERED:
                self._moved.pop(next(iter(self._moved)))
        return self._moved[key]

    async def _find_native_transfers(self, raw: Mapping[str, Any]) -> Sequence[Sequence[str]]:
        if not self.blind_spots:
            try:
                traced = await self._decide("debug_traceTransaction", [raw["transactionHash"], {"tracer": "callTracer"}])
            except Refused as refusal:
                if refusal.code not in _NO_SUCH_METHOD:
                    raise
                self.blind_spots.append(BLIND)
            else:
                return list(traced)
        return await self._own_value(raw)

    async def _own_value(self, raw: Mapping[str, Any]) -> Sequence[Sequence[str]]:
        transaction = await self._transaction(raw["transactionHash"])
        if transaction["to"] is None:
            return []
        return [[transaction["from"], transaction["to"], transaction["value"]]]

    async def _reason(self, reference: str, height: Height) -> str:
        """Why it failed: the same call again on its own block, then on the one before. For people only."""
        transaction = await self._transaction(reference)
        call = {key: transaction[key] for key in ("from", "to", "value", "input", "gas") if transaction[key] is not None}
        for number in (height.number, max(0, height.number - 1)):
            try:
                await self._pool.observe("eth_call", [call, hex(number)])
            except Refused as refusal:
                from chains.evm.reverts import reason_of, revert_data  # late: only a failure has to be decoded

                data = revert_data(refusal.data)
                return reason_of(data) if data else refusal.text
            except Unknowable:
                continue
        return "reverted; run again afterwards it does not, so the reason is not known"

    async def _transaction(self, reference: str) -> Mapping[str, Any]:
        found = await self._decide("eth_getTransactionByHash", [reference])
        if found is None:
            raise Unknowable(f"{self._settings.name}: {reference} has a receipt, but the endpoints do not show the transaction")
        return dict(found)

    async def _decide(self, method: str, params: Sequence[Any]) -> Any:
        return await self._pool.decide(method, params, normal.FORMS.get(method, normal.plain))
