"""The RPC methods through solana-py's own client: what it reads and sends is what a cluster would answer."""

import base64

import pytest
import spl.token.instructions as spl
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.core import RPCException
from solana.rpc.models import MemcmpOpts, TokenAccountOpts, TxOpts
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    create_account,
    create_lookup_table,
    extend_lookup_table,
)
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID
from spl.token.models import ApproveParams, InitializeMint2Params, MintToParams, TransferCheckedParams

from deploy.localnet.solana.node import Server
from deploy.localnet.solana.node.chain import GENESIS
from tests.deploy.solana.node.calling import call, pay, send, signed

SOL = 10**9

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
