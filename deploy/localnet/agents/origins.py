"""Where Hyperlane messages come from: final dispatches of an EVM mailbox or of the Solana one, with their checkpoints."""

from __future__ import annotations

import base64
from typing import Protocol

from solders.pubkey import Pubkey

from deploy.localnet.agents.checkpoints import Checkpoint, Message, Tree
from deploy.localnet.agents.evm import EvmEndpoint, one_bytes, topic
from deploy.localnet.agents.jsonrpc import JsonRpc
from deploy.localnet.solana.hyperlane import DISPATCH_TAG, DISPATCH_TAG_AT, dispatched_message
from deploy.localnet.solana.node import base58

DISPATCH = topic("Dispatch(address,uint32,bytes32,bytes)")
INSERTED = topic("InsertedIntoTree(bytes32,uint32)")


class Origin(Protocol):
    domain: int

    async def new(self) -> list[Checkpoint]:
        """What became final since the last call, in order. Raises `RpcFault`; the next call then starts where this did."""


class EvmOrigin:
    """Reads the mailbox's and the tree hook's events; only final blocks count, so a reorg cannot be relayed."""

    def __init__(self, chain: EvmEndpoint) -> None:
        self.domain = chain.hyperlane_domain
        self._chain = chain
        self._mailbox = chain.contracts["HyperlaneMailbox"]
        self._tree_hook = chain.contracts["HyperlaneMerkleTreeHook"]
        self._tree = Tree()
        self._next_block = 0

    async def new(self) -> list[Checkpoint]:
        final = await self._chain.block_number("finalized")
        if final < self._next_block:
            return []
        emitters = [self._mailbox, self._tree_hook]
        logs = await self._chain.logs(emitters, [DISPATCH, INSERTED], self._next_block, final)
        messages = [Message(one_bytes(log["data"])) for log in logs if log["topics"][0] == DISPATCH]
        by_id = {message.id: message for message in messages}
        hook = bytes.fromhex(self._tree_hook[2:]).rjust(32, b"\0")
        found = []
        for log in logs:
            if log["topics"][0] != INSERTED:
                continue
            leaf = bytes.fromhex(log["data"][2:66])
            index = self._tree.insert(leaf)
            if leaf in by_id:
                found.append(Checkpoint(by_id[leaf], hook, self._tree.roots[index], index))
        self._next_block = final + 1
        return found


class SolanaOrigin:
    """Scans the mailbox's dispatched-message accounts, as the real agent does; the nonce is the leaf's index."""

    def __init__(self, rpc: JsonRpc, domain: int, mailbox: Pubkey) -> None:
        self.domain = domain
        self._rpc = rpc
        self._mailbox = mailbox
        self._tree = Tree()

    async def new(self) -> list[Checkpoint]:
        tag = {"memcmp": {"offset": DISPATCH_TAG_AT, "bytes": base58.encode(DISPATCH_TAG)}}
        wanted = {"encoding": "base64", "commitment": "finalized", "filters": [tag]}
        accounts = await self._rpc.call("getProgramAccounts", str(self._mailbox), wanted)
        datas = (base64.b64decode(account["account"]["data"][0]) for account in accounts)
        by_nonce = {message.nonce: message for message in map(Message, map(dispatched_message, datas))}
        found = []
        while (message := by_nonce.get(len(self._tree.roots))) is not None:
            index = self._tree.insert(message.id)
            found.append(Checkpoint(message, bytes(self._mailbox), self._tree.roots[index], index))
        return found
