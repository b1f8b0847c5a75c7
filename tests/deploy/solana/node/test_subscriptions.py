"""Subscriptions through solana-py's WebSocket client, and frames that are no requests."""

import aiohttp
import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.models import TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.keypair import Keypair

from deploy.localnet.solana.node import Server
from tests.deploy.solana.node.calling import pay, signed


async def test_subscriptions__one_transfer__tells_each_once_at_its_commitment(server: Server, client: AsyncClient, payer: Keypair) -> None:
    to = Keypair().pubkey()
    transaction = await signed(client, [pay(payer, to)], [payer])
    async with SolanaWsClient(server.ws_url) as socket:
        confirmed = await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Confirmed)
        final = await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Finalized)
        await socket.account_subscribe(pubkey=to, commitment=Confirmed)
        await socket.logs_subscribe(commitment=Processed)
        await client.send_transaction(transaction, TxOpts(preflight_commitment=Processed))
        server.chain.tick(40)
        told = []
        while len(told) < 4:
            note = await socket.recv()
            told.append((type(note).__name__, note.subscription))
    kinds = [kind for kind, _ in told]
    assert kinds == ["LogsNotification", "SignatureNotification", "AccountNotification", "SignatureNotification"]
    assert [n for kind, n in told if kind == "SignatureNotification"] == [confirmed.subscription_id, final.subscription_id]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", -32600),
        ('{"id": 1}', -32600),
        ('{"id": 1, "method": "voteSubscribe"}', -32601),
        ('{"id": 1, "method": "accountSubscribe", "params": []}', -32602),
        ('{"id": 1, "method": "logsSubscribe", "params": [{"mentions": ["x"]}]}', -32602),
        ('{"id": 1, "method": "slotSubscribe", "params": [{"dataSlice": {"offset": 1}}]}', -32602),
    ],
)
async def test_websocket__bad_frame__gets_its_code_and_the_connection_lives(server: Server, frame: str, code: int) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(server.ws_url) as socket:
        await socket.send_str(frame)
        assert (await socket.receive_json())["error"]["code"] == code
        await socket.send_json({"id": 2, "method": "getHealth"})
        assert (await socket.receive_json())["result"] == "ok"
        await socket.send_json({"id": 3, "method": "slotSubscribe"})
        number = (await socket.receive_json())["result"]
        server.chain.tick()
        assert (await socket.receive_json())["params"]["result"]["slot"] == server.chain.slots.now
        await socket.send_json({"id": 4, "method": "slotUnsubscribe", "params": [number]})
        assert (await socket.receive_json())["result"] is True
