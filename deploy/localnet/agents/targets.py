"""Where Hyperlane messages go: an EVM mailbox or the Solana one. Each is asked "delivered?" before anything is sent."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Protocol

from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from deploy.localnet.accounts import Role
from deploy.localnet.agents.checkpoints import Message
from deploy.localnet.agents.evm import EvmEndpoint, calldata
from deploy.localnet.agents.jsonrpc import JsonRpc, RpcFault
from deploy.localnet.solana import hyperlane
from deploy.localnet.solana.setup import RELAYER

PROCESS_UNITS = 600_000  # a delivery takes 250,000 and opening a token account 30,000
STATUS_POLLS, STATUS_POLL_S = 40, 0.1
COMMITMENT = "confirmed"


class Target(Protocol):
    domain: int

    async def delivered(self, message: Message, *, final: bool) -> bool:
        """Whether it is there: in the newest state, or in the final one, which no reorg takes back. Raises `RpcFault`."""

    async def deliver(self, message: Message, metadata: bytes) -> str:
        """The transaction, once it is mined. Raises `RpcFault` or `ValueError`: not delivered as far as we know."""


class EvmTarget:
    def __init__(self, chain: EvmEndpoint) -> None:
        self.domain = chain.hyperlane_domain
        self._chain = chain
        self._mailbox = chain.contracts["HyperlaneMailbox"]

    async def delivered(self, message: Message, *, final: bool) -> bool:
        asked = calldata("delivered(bytes32)", message.id)
        return any(await self._chain.call(self._mailbox, asked, "finalized" if final else "latest"))

    async def deliver(self, message: Message, metadata: bytes) -> str:
        data = calldata("process(bytes,bytes)", metadata, message.raw)
        return await self._chain.send(Role.HYPERLANE_RELAYER, self._mailbox, data)


class SolanaTarget:
    """Delivers to the USDC warp route, the only recipient there is."""

    def __init__(self, rpc: JsonRpc, entry: dict[str, Any]) -> None:
        self.domain = int(entry["hyperlane_domain"])
        self._rpc = rpc
        self._warp = Pubkey.from_string(entry["programs"]["warp_usdc"])
        self._mint = Pubkey.from_string(entry["mints"]["USDC"])

    async def delivered(self, message: Message, *, final: bool) -> bool:
        key = str(hyperlane.processed_account(message.id))
        commitment = "finalized" if final else COMMITMENT
        found = await self._rpc.call("getAccountInfo", key, {"encoding": "base64", "commitment": commitment})
        return found["value"] is not None

    async def deliver(self, message: Message, metadata: bytes) -> str:
        if message.recipient != bytes(self._warp):
            raise ValueError(f"message {message.id.hex()} is for program {message.recipient.hex()}, which is not the warp route")
        recipient = Pubkey.from_bytes(message.body[:32])
        inbound = hyperlane.Inbound(message.raw, message.id, metadata, message.origin, recipient, self._mint)
        steps = [set_compute_unit_limit(PROCESS_UNITS), hyperlane.process(RELAYER.pubkey(), inbound)]
        latest = (await self._rpc.call("getLatestBlockhash", {"commitment": COMMITMENT}))["value"]
        body = MessageV0.try_compile(RELAYER.pubkey(), steps, [], Hash.from_string(latest["blockhash"]))
        raw = base64.b64encode(bytes(VersionedTransaction(body, [RELAYER]))).decode()
        signature = await self._rpc.call("sendTransaction", raw, {"encoding": "base64", "preflightCommitment": COMMITMENT})
        await self._confirmed(signature)
        return str(signature)

    async def _confirmed(self, signature: str) -> None:
        for _ in range(STATUS_POLLS):
            status = (await self._rpc.call("getSignatureStatuses", [signature]))["value"][0]
            if status is not None and status["err"] is not None:
                raise RpcFault(f"{signature} failed: {status['err']}")
            if status is not None and status["confirmationStatus"] != "processed":
                return
            await asyncio.sleep(STATUS_POLL_S)
        raise RpcFault(f"{signature} is not confirmed after {STATUS_POLLS * STATUS_POLL_S:.0f} s")
