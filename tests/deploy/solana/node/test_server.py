"""The node over the network: solana-py's own clients talk to it unmodified, and its faults look like real ones."""

import base64
import json
from typing import Any

import aiohttp
import httpx2
import pytest
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Finalized, Processed
from solana.rpc.models import TxOpts
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from deploy.localnet.solana.node import Server
from tests.deploy.solana.node.calling import call, pay, raw, send, signed

SOL = 10**9

# ---- faults ----


@pytest.mark.parametrize("status", [429, 503])
async def test_fault__http_status__every_call_but_the_controls_gets_it(server: Server, client: AsyncClient, status: int) -> None:
    await call(server, "localnet_fault", {"http_status": status})
    with pytest.raises(SolanaRpcException) as caught:
        await client.get_slot()
    cause = caught.value.__cause__
    assert isinstance(cause, httpx2.HTTPStatusError)
    assert cause.response.status_code == status
    answer = await call(server, "localnet_fault", {"http_status": 0})
    assert answer["result"]["faults"]["http_status"] == 0
    await client.get_slot()


async def test_fault__lost_response__transaction_lands_and_the_connection_breaks(
    server: Server, client: AsyncClient, payer: Keypair
) -> None:
    to = Keypair().pubkey()
    transaction = await signed(client, [pay(payer, to)], [payer])
    await call(server, "localnet_fault", {"lose_response": 1})
    with pytest.raises(SolanaRpcException):
        await client.send_transaction(transaction, TxOpts(preflight_commitment=Processed))
    assert (await client.get_balance(to)).value == SOL


async def test_fault__failing_method__answers_its_error(server: Server) -> None:
    await call(server, "localnet_fault", {"fail_methods": {"getSlot": [-32005, "Node is behind", {"numSlotsBehind": 9}]}})
    answer = await call(server, "getSlot")
    assert answer["error"] == {"code": -32005, "message": "Node is behind", "data": {"numSlotsBehind": 9}}


async def test_controls__tick_reorg_and_set_account__act_from_outside(server: Server, client: AsyncClient, payer: Keypair) -> None:
    to = Keypair().pubkey()
    signature = await send(client, [pay(payer, to)], [payer])
    assert (await call(server, "localnet_tick", 2))["result"] == server.chain.slots.now
    assert str(signature) in (await call(server, "localnet_reorg", 3))["result"]
    assert (await client.get_balance(to)).value == 0
    await call(server, "localnet_setAccount", str(to), {"lamports": 5, "data": base64.b64encode(b"x").decode()})
    assert (await client.get_balance(to, Finalized)).value == 5
    assert (await call(server, "localnet_reorg", 999))["error"]["code"] == -32602


# ---- bad requests ----


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("getNothing", [], -32601),
        ("getBalance", [], -32602),
        ("getBalance", ["not a key"], -32602),
        ("getSlot", [{"commitment": "sure"}], -32602),
        ("getSlot", [{"minContextSlot": 10**12}], -32016),
        ("getBlock", [1], -32004),
        ("getProgramAccounts", [str(Pubkey.default()), {"filters": [{"memcmp": {"offset": 0}}]}], -32602),
        ("getTokenSupply", [str(Pubkey.default())], -32602),
    ],
)
async def test_bad_request__each_kind__gets_its_code(server: Server, method: str, params: list[Any], code: int) -> None:
    assert (await call(server, method, *params))["error"]["code"] == code


async def test_batch__good_and_bad__are_answered_side_by_side(server: Server) -> None:
    body = [{"jsonrpc": "2.0", "id": 1, "method": "getHealth"}, {"id": 2}]
    answers = await raw(server, body)
    assert answers[0]["result"] == "ok"
    assert answers[1]["error"]["code"] == -32600


async def test_body__not_json__is_a_parse_error(server: Server) -> None:
    async with aiohttp.ClientSession() as session, session.post(server.url, data=b"{") as response:
        assert json.loads(await response.text())["error"]["code"] == -32700
