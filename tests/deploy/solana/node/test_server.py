"""The node over the network: solana-py's own clients talk to it unmodified, and its faults look like real ones."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx2
import pytest
import spl.token.instructions as spl
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.core import RPCException
from solana.rpc.models import MemcmpOpts, TokenAccountOpts, TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    CreateAccountParams,
    TransferParams,
    create_account,
    create_lookup_table,
    extend_lookup_table,
    transfer,
)
from solders.transaction import VersionedTransaction
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID
from spl.token.models import ApproveParams, InitializeMint2Params, MintToParams, TransferCheckedParams

from deploy.localnet.solana.node import Chain, Server, serve
from deploy.localnet.solana.node.chain import GENESIS

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


# ---- reads ----


async def test_client__about_the_node__gets_what_a_cluster_answers(server: Server, client: AsyncClient) -> None:
    assert await client.is_connected()
    assert (await client.get_genesis_hash()).value == GENESIS
    assert (await client.get_version()).value.solana_core.startswith("3.")
    slots = [(await client.get_slot(c)).value for c in (Processed, Confirmed, Finalized)]
    assert slots == [slots[0], slots[0] - 1, slots[0] - 32]
    height = (await client.get_block_height(Processed)).value
    assert height == slots[0] - 20_000_000
    epoch = (await client.get_epoch_info(Processed)).value
    assert (epoch.absolute_slot, epoch.block_height) == (slots[0], height)
    assert (await client.get_minimum_balance_for_rent_exemption(165)).value == 2_039_280
    assert len((await client.get_recent_prioritization_fees([])).value) == 150
    block = (await client.get_block(slots[1], commitment=Confirmed)).value
    assert block is not None
    assert (block.parent_slot, block.block_height) == (slots[1] - 1, slots[1] - 20_000_000)


async def test_transaction__each_commitment__is_seen_when_it_is_reached(server: Server, client: AsyncClient, payer: Keypair) -> None:
    to = Keypair().pubkey()
    steps = [set_compute_unit_limit(1_000), set_compute_unit_price(1_000_000), pay(payer, to)]
    signature = await send(client, steps, [payer])
    seen = []
    for count in (1, 31):
        status = (await client.get_signature_statuses([signature])).value[0]
        seen.append(str(status.confirmation_status).rpartition(".")[2])
        server.chain.tick(count)
    status = (await client.get_signature_statuses([signature])).value[0]
    seen.append(str(status.confirmation_status).rpartition(".")[2])
    assert seen == ["Processed", "Confirmed", "Finalized"]
    for encoding in ("json", "base64", "base58", "jsonParsed"):
        found = (await client.get_transaction(signature, encoding, commitment=Confirmed, max_supported_transaction_version=0)).value
        assert found is not None
        assert found.transaction.meta.fee == 5_000 + 1_000
    listed = (await client.get_signatures_for_address(to, commitment=Confirmed)).value
    assert [entry.signature for entry in listed] == [signature]
    assert (await client.get_balance(to, Finalized)).value == SOL


async def test_statuses__older_than_150_slots__need_the_history(server: Server, client: AsyncClient, payer: Keypair) -> None:
    signature = await send(client, [pay(payer, Keypair().pubkey())], [payer])
    server.chain.tick(151)
    assert (await client.get_signature_statuses([signature])).value == [None]
    found = await client.get_signature_statuses([signature], search_transaction_history=True)
    assert found.value[0] is not None


@pytest.mark.parametrize("program", [TOKEN_PROGRAM_ID, TOKEN_2022_PROGRAM_ID], ids=["spl", "2022"])
async def test_tokens__mint_transfer_approve__every_read_agrees(
    server: Server, client: AsyncClient, payer: Keypair, program: Pubkey
) -> None:
    mint, other = Keypair(), Keypair().pubkey()
    mine = spl.get_associated_token_address(payer.pubkey(), mint.pubkey(), program)
    theirs = spl.get_associated_token_address(other, mint.pubkey(), program)
    me, key = payer.pubkey(), mint.pubkey()
    rent = (await client.get_minimum_balance_for_rent_exemption(82)).value
    create = CreateAccountParams(from_pubkey=me, to_pubkey=key, lamports=rent, space=82, owner=program)
    moved = TransferCheckedParams(amount=1_234_567, decimals=6, dest=theirs, mint=key, owner=me, program_id=program, source=mine)
    steps = [
        create_account(create),
        spl.initialize_mint2(InitializeMint2Params(decimals=6, mint=key, mint_authority=me, program_id=program)),
        spl.create_idempotent_associated_token_account(me, me, key, program),
        spl.create_idempotent_associated_token_account(me, other, key, program),
        spl.mint_to(MintToParams(amount=5_000_000, dest=mine, mint=key, mint_authority=me, program_id=program)),
        spl.transfer_checked(moved),
        spl.approve(ApproveParams(amount=77, delegate=other, owner=me, program_id=program, source=mine)),
    ]
    signature = await send(client, steps, [payer, mint])
    assert (await client.get_token_account_balance(theirs)).value.ui_amount_string == "1.234567"
    assert (await client.get_token_supply(key)).value.amount == "5000000"
    held = (await client.get_token_accounts_by_owner(other, TokenAccountOpts(mint=key))).value
    assert [entry.pubkey for entry in held] == [theirs]
    parsed = (await client.get_token_accounts_by_owner_json_parsed(me, TokenAccountOpts(program_id=program))).value
    assert parsed[0].account.data.parsed["info"]["tokenAmount"]["amount"] == "3765433"
    delegated = (await client.get_token_accounts_by_delegate(other, TokenAccountOpts(mint=key))).value
    assert [entry.pubkey for entry in delegated] == [mine]
    with pytest.raises(RPCException, match="below `confirmed`"):
        await client.get_transaction(signature, max_supported_transaction_version=0)
    found = (await client.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)).value
    assert found is None, "not confirmed yet"
    server.chain.tick()
    found = (await client.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)).value
    assert found is not None
    after = {balance.owner: balance.ui_token_amount.amount for balance in found.transaction.meta.post_token_balances}
    assert after == {me: "3765433", other: "1234567"}
    filters = [MemcmpOpts(offset=32, bytes=str(other))]
    accounts = (await client.get_program_accounts(program, filters=filters, encoding="base64")).value
    assert [entry.pubkey for entry in accounts] == [theirs]


async def test_lookup_table__used_in_a_transaction__its_addresses_are_loaded(server: Server, client: AsyncClient, payer: Keypair) -> None:
    to, me, slot = Keypair().pubkey(), payer.pubkey(), server.chain.slots.now
    server.chain.tick()
    create, table = create_lookup_table({"recent_slot": slot, "authority_address": me, "payer_address": me})
    wanted = {"lookup_table_address": table, "authority_address": me, "payer_address": me, "new_addresses": [to]}
    await send(client, [create, extend_lookup_table(wanted)], [payer])
    server.chain.tick()
    found = (await client.get_account_info(table)).value
    assert found is not None
    assert list(AddressLookupTable.deserialize(found.data).addresses) == [to]
    signature = await send(client, [pay(payer, to)], [payer], [AddressLookupTableAccount(table, [to])])
    server.chain.tick()
    landed = (await client.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)).value
    assert landed is not None
    assert list(landed.transaction.meta.loaded_addresses.writable) == [to]
    assert (await client.get_balance(to)).value == SOL


# ---- sending ----


async def test_preflight__newer_blockhash_than_its_bank__is_not_found(client: AsyncClient, payer: Keypair) -> None:
    transaction = await signed(client, [pay(payer, Keypair().pubkey())], [payer])
    with pytest.raises(RPCException, match="Blockhash not found"):
        await client.send_transaction(transaction, TxOpts(preflight_commitment=Finalized))


async def test_preflight__too_little_money__names_the_program_error(client: AsyncClient, payer: Keypair) -> None:
    transaction = await signed(client, [pay(payer, Keypair().pubkey(), 1_000 * SOL)], [payer])
    with pytest.raises(RPCException, match="Transaction simulation failed") as caught:
        await client.send_transaction(transaction, TxOpts(preflight_commitment=Processed))
    assert "Custom(1)" in str(caught.value.args[0].data.err)


async def test_simulate__with_accounts__shows_them_afterwards_and_moves_nothing(
    server: Server, client: AsyncClient, payer: Keypair
) -> None:
    to = Keypair().pubkey()
    transaction = await signed(client, [pay(payer, to)], [payer])
    wanted = {"encoding": "base64", "addresses": [str(to)]}
    config = {"encoding": "base64", "commitment": "processed", "accounts": wanted}
    answer = await call(server, "simulateTransaction", base64.b64encode(bytes(transaction)).decode(), config)
    assert answer["result"]["value"]["accounts"][0]["lamports"] == SOL
    assert answer["result"]["value"]["err"] is None
    assert (await client.get_balance(to)).value == 0


async def test_send__over_1232_bytes__is_refused(server: Server) -> None:
    answer = await call(server, "sendTransaction", base64.b64encode(bytes(1233)).decode(), {"encoding": "base64"})
    assert answer["error"]["code"] == -32602
    assert "too large: 1233 bytes (max: 1232 bytes)" in answer["error"]["message"]


async def test_fee__priority_price__is_what_is_charged(client: AsyncClient, payer: Keypair) -> None:
    transaction = await signed(client, [set_compute_unit_limit(1_000), set_compute_unit_price(1), pay(payer, payer.pubkey())], [payer])
    message = transaction.message
    assert isinstance(message, MessageV0)
    assert (await client.get_fee_for_message(message)).value == 5_001
    before = (await client.get_balance(payer.pubkey())).value
    await client.send_transaction(transaction, TxOpts(preflight_commitment=Processed))
    assert (await client.get_balance(payer.pubkey())).value == before - 5_001


# ---- WebSocket ----


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
