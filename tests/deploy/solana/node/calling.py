"""How the tests build, send and call: through solana-py's client, or as bare JSON-RPC."""

from typing import Any

import aiohttp
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Processed
from solana.rpc.models import TxOpts
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    TransferParams,
    transfer,
)
from solders.transaction import VersionedTransaction

from deploy.localnet.solana.node import Server

SOL = 10**9


def pay(payer: Keypair, to: Pubkey, lamports: int = SOL) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))


async def signed(client: AsyncClient, steps: list[Instruction], signers: list[Keypair], tables: Any = ()) -> VersionedTransaction:
    latest = (await client.get_latest_blockhash()).value.blockhash
    message = MessageV0.try_compile(signers[0].pubkey(), steps, list(tables), latest)
    return VersionedTransaction(message, signers)


async def send(client: AsyncClient, steps: list[Instruction], signers: list[Keypair], tables: Any = ()) -> Signature:
    transaction = await signed(client, steps, signers, tables)
    return (await client.send_transaction(transaction, TxOpts(preflight_commitment=Processed))).value


async def raw(server: Server, body: Any) -> Any:
    async with aiohttp.ClientSession() as session, session.post(server.url, json=body) as response:
        return await response.json()


async def call(server: Server, method: str, *params: Any) -> Any:
    return await raw(server, {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
