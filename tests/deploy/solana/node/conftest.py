"""A node on free ports, solana-py's client for it, and somebody with money on it."""

from collections.abc import AsyncIterator

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Processed
from solders.keypair import Keypair

from deploy.localnet.solana.node import Chain, Server, serve

SOL = 10**9


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with await serve(Chain(), ws_port=0) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncClient]:
    client = AsyncClient(server.url, commitment=Processed, http2=False, max_transport_retries=0)
    yield client
    await client.close()


@pytest.fixture
def payer(server: Server) -> Keypair:
    key = Keypair()
    server.chain.airdrop(key.pubkey(), 100 * SOL)
    return key
