"""One EVM chain as the agents see it: blocks, logs, calls, and transactions of a development account."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from deploy.localnet.accounts import account
from deploy.localnet.agents.jsonrpc import JsonRpc, RpcFault

RECEIPT_POLLS, RECEIPT_POLL_S = 80, 0.1
GAS_MARGIN = (12, 10)  # an estimate, times 1.2
TIP = 10**9


def topic(signature: str) -> str:
    """The first topic of an event, e.g. "MessageSent(bytes)"."""
    return "0x" + keccak(text=signature).hex()


def calldata(signature: str, *arguments: Any) -> bytes:
    """A call of a function written as "name(type,type)"."""
    types = signature[signature.index("(") + 1 : -1]
    return keccak(text=signature)[:4] + encode([t for t in types.split(",") if t], arguments)


def one_bytes(data: str) -> bytes:
    """The single `bytes` value that an event's data holds."""
    value: bytes = decode(["bytes"], bytes.fromhex(data.removeprefix("0x")))[0]
    return value


@dataclass(frozen=True, slots=True)
class EvmEndpoint:
    """A chain's node with its entry in `network.json`. Every method raises `RpcFault`."""

    rpc: JsonRpc
    chain_id: int
    cctp_domain: int
    hyperlane_domain: int
    contracts: dict[str, str]

    async def block_number(self, tag: str = "latest") -> int:
        block = await self.rpc.call("eth_getBlockByNumber", tag, False)
        return 0 if block is None else int(block["number"], 16)

    async def block_time(self, number: int) -> int:
        block = await self.rpc.call("eth_getBlockByNumber", hex(number), False)
        return 0 if block is None else int(block["timestamp"], 16)

    async def logs(self, addresses: list[str], topics: list[str], first: int, last: int) -> list[dict[str, Any]]:
        """The logs of these emitters whose first topic is one of `topics`, in the order they happened."""
        wanted = {"address": addresses, "topics": [topics], "fromBlock": hex(first), "toBlock": hex(last)}
        found: list[dict[str, Any]] = await self.rpc.call("eth_getLogs", wanted)
        return sorted(found, key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))

    async def receipt(self, transaction: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self.rpc.call("eth_getTransactionReceipt", transaction)
        return found

    async def call(self, to: str, data: bytes, tag: str = "latest") -> bytes:
        result = await self.rpc.call("eth_call", {"to": to, "data": "0x" + data.hex()}, tag)
        return bytes.fromhex(result.removeprefix("0x"))

    async def send(self, role: int, to: str, data: bytes) -> str:
        """Sign, send and wait (8 s at most) until it is mined; its hash. A revert is an `RpcFault` too.

        The nonce is the next unmined one, so a second try replaces a transaction that hangs instead of joining it.
        """
        signer = account(role, self.chain_id)
        body = {"from": signer.address, "to": to, "data": "0x" + data.hex()}
        gas = int(await self.rpc.call("eth_estimateGas", body), 16) * GAS_MARGIN[0] // GAS_MARGIN[1]
        block = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        wanted: dict[str, Any] = {
            "chainId": self.chain_id,
            "nonce": int(await self.rpc.call("eth_getTransactionCount", signer.address, "latest"), 16),
            "to": to,
            "data": body["data"],
            "value": 0,
            "gas": gas,
            "maxFeePerGas": 2 * int(block["baseFeePerGas"], 16) + TIP,
            "maxPriorityFeePerGas": TIP,
        }
        raw = signer.sign_transaction(wanted).raw_transaction
        try:
            await self.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcFault as fault:
            if "already" not in str(fault):  # already known: the very same transaction is on its way
                raise
        return await self._mined("0x" + keccak(raw).hex())

    async def _mined(self, transaction: str) -> str:
        for _ in range(RECEIPT_POLLS):
            receipt = await self.receipt(transaction)
            if receipt is not None and int(receipt["status"], 16) == 1:
                return transaction
            if receipt is not None:
                raise RpcFault(f"{transaction} was mined and reverted")
            await asyncio.sleep(RECEIPT_POLL_S)
        raise RpcFault(f"{transaction} is not mined after {RECEIPT_POLLS * RECEIPT_POLL_S:.0f} s")


def evm_endpoints(book: dict[str, Any], session: ClientSession) -> Iterator[EvmEndpoint]:
    """The EVM chains of `network.json`."""
    for caip2, entry in book["chains"].items():
        if caip2.startswith("eip155:"):
            yield EvmEndpoint(
                JsonRpc(session, entry["rpc"][0]),
                int(caip2.removeprefix("eip155:")),
                entry["cctp_domain"],
                entry["hyperlane_domain"],
                entry["contracts"],
            )


def solana_entry(book: dict[str, Any]) -> dict[str, Any]:
    """The Solana chain of `network.json`. Raises `KeyError` where there is none."""
    for caip2, entry in book["chains"].items():
        if caip2.startswith("solana:"):
            found: dict[str, Any] = entry
            return found
    raise KeyError("network.json holds no chain whose id starts with 'solana:'")
