"""SolanaChain against a local node, with the faults of the wire: lost answers, drops, expiry, forks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, get_associated_token_address, transfer_checked
from spl.token.models import TransferCheckedParams

from chains.base import AccountMeta, Call, Dead, Landed, Pending, Submission, Unknown
from chains.errors import Fault, Misconfigured, Reaction, Reverted, SendInDoubt, Unfunded
from chains.ids import AccountId, TokenId
from chains.solana.transaction import call_of
from chains.tokens import Token

from .conftest import ID, OTHER, SOL, World

LAMPORTS = 10_000_000


async def _final(world: World, submission: Submission) -> Landed:
    world.finalize()
    fate = await world.chain.fate(submission)
    assert isinstance(fate, Landed)
    return fate


async def test_snapshot__native_spl_and_token_2022__one_finalized_height(world: World) -> None:
    old, new = world.mint(5_000_000), world.mint(7_000_000, TOKEN_2022_PROGRAM_ID)
    empty = AccountId(ID, str(Keypair().pubkey()))
    found = await world.chain.snapshot([world.account, empty], [SOL, old, new])
    lamports = world.node.account(world.keypair.pubkey(), "finalized")
    assert lamports is not None
    assert found.holdings == {
        (world.account, SOL.id): lamports.lamports,
        (world.account, old.id): 5_000_000,
        (world.account, new.id): 7_000_000,
        (empty, SOL.id): 0,
        (empty, old.id): 0,
        (empty, new.id): 0,
    }
    assert found.height.number == world.node.slots.at("finalized")
    assert found.height == await world.chain.head()


async def test_snapshot__not_yet_final_payment__shows_the_finalized_state(world: World) -> None:
    before = (await world.chain.snapshot([world.account], [SOL])).holdings
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    await world.chain.submit(submission)
    assert (await world.chain.snapshot([world.account], [SOL])).holdings == before


async def test_snapshot__token_that_does_not_exist__is_unknown_and_not_zero(world: World) -> None:
    ghost = Token(TokenId(ID, "token", str(Keypair().pubkey())), "USDC", 6)
    found = await world.chain.snapshot([world.account], [ghost])
    assert isinstance(found.holdings[world.account, ghost.id], Unknown)


async def test_send__clean__lands_once_with_exact_movements_and_fee(world: World) -> None:
    held = world.lamports(world.keypair.pubkey())
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    await world.chain.submit(submission)
    assert isinstance(await world.chain.fate(submission), Pending)
    receipt = (await _final(world, submission)).receipt
    other = AccountId(ID, str(OTHER.pubkey()))
    assert receipt.succeeded
    assert receipt.final
    assert receipt.reference == submission.reference
    assert receipt.moved(world.account, SOL.id) == -LAMPORTS
    assert receipt.moved(other, SOL.id) == LAMPORTS
    assert held - receipt.fee - LAMPORTS == world.lamports(world.keypair.pubkey())
    assert receipt == await world.chain.receipt(submission.reference)


async def test_send__token_to_new_account__moves_by_owner_and_rent_is_native(world: World) -> None:
    token = world.mint(5_000_000)
    mint, me = Pubkey.from_string(token.id.reference), world.keypair.pubkey()
    make = create_idempotent_associated_token_account(me, OTHER.pubkey(), mint)
    move = TransferCheckedParams(
        program_id=TOKEN_PROGRAM_ID,
        source=get_associated_token_address(me, mint),
        mint=mint,
        dest=make.accounts[1].pubkey,
        owner=me,
        amount=1_500_000,
        decimals=6,
    )
    calls = [call_of(ID, make, "open the account"), call_of(ID, transfer_checked(move), "pay")]
    submission = await world.chain.prepare(world.account, calls, None)
    await world.chain.submit(submission)
    receipt = (await _final(world, submission)).receipt
    rent = world.lamports(make.accounts[1].pubkey)
    assert receipt.moved(world.account, token.id) == -1_500_000
    assert receipt.moved(AccountId(ID, str(OTHER.pubkey())), token.id) == 1_500_000
    assert receipt.moved(world.account, SOL.id) == -rent
    assert rent > 0


async def test_prepare__equal_calls_in_one_slot__are_two_transactions(world: World) -> None:
    one = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    two = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    await world.chain.submit(one)
    await world.chain.submit(two)
    assert one.reference != two.reference
    assert world.lamports() == 2 * LAMPORTS


async def test_prepare__cosigner_of_a_call__signs_and_is_not_shown(world: World) -> None:
    seed = bytes(range(32))
    once = Keypair.from_seed(seed).pubkey()
    pay = world.pay(LAMPORTS)
    call = replace(pay, accounts=(*pay.accounts, AccountMeta(str(once), signer=True)), cosigners=(seed,))
    submission = await world.chain.prepare(world.account, [call], None)
    assert VersionedTransaction.from_bytes(submission.raw).message.header.num_required_signatures == 2
    assert repr(seed) not in repr(call)
    with pytest.raises(Misconfigured, match=str(once)):
        await world.chain.prepare(world.account, [replace(call, cosigners=())], None)


async def test_submit__answer_lost__doubt_is_said_and_it_landed_once(world: World) -> None:
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    world.node.faults.lose_response = 1
    with pytest.raises(SendInDoubt, match=submission.reference):
        await world.chain.submit(submission)
    await world.chain.submit(submission)
    assert (await _final(world, submission)).receipt.succeeded
    assert world.lamports() == LAMPORTS


async def test_submit__dropped_five_times__same_bytes_land_once(world: World) -> None:
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    world.node.faults.drop_next = 5
    for _ in range(6):
        assert isinstance(await world.chain.fate(submission), Pending)
        await world.chain.submit(submission)
        world.node.tick()
    assert (await _final(world, submission)).receipt.succeeded
    assert world.lamports() == LAMPORTS


async def test_fate__expired_but_expiry_not_final__stays_pending_then_dead(world: World) -> None:
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    world.node.faults.drop_next = 1
    await world.chain.submit(submission)
    assert submission.valid_until is not None
    until_final = submission.valid_until - world.node.slots.height(world.node.slots.at("finalized"))
    world.node.tick(until_final)  # the last block that could hold it is final, none after it
    assert isinstance(await world.chain.fate(submission), Pending)
    world.node.tick()
    assert isinstance(await world.chain.fate(submission), Dead)
    await world.chain.submit(submission)  # even so late a send does nothing
    world.finalize()
    assert world.lamports() == 0
    again = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    await world.chain.submit(again)
    assert (await _final(world, again)).receipt.succeeded
    assert world.lamports() == LAMPORTS


async def test_fate__lands_very_late__is_never_called_dead(world: World) -> None:
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    world.node.faults.delay_slots = 140
    await world.chain.submit(submission)
    for _ in range(18):
        world.node.tick(10)
        assert not isinstance(await world.chain.fate(submission), Dead)
    assert (await _final(world, submission)).receipt.succeeded


async def test_fate__fork_drops_it__pending_again_and_lands_on_resend(world: World) -> None:
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    await world.chain.submit(submission)
    world.node.tick(3)
    seen = await world.chain.receipt(submission.reference)
    assert seen is not None
    assert not seen.final
    world.node.reorg(4)  # the slot it landed in, not the one of its blockhash
    assert isinstance(await world.chain.fate(submission), Pending)
    assert await world.chain.receipt(submission.reference) is None
    await world.chain.submit(submission)
    assert (await _final(world, submission)).receipt.succeeded
    assert world.lamports() == LAMPORTS


async def test_fate__fork_drops_its_blockhash_too__dead_only_after_expiry(world: World) -> None:
    submission = await world.chain.prepare(world.account, [world.pay(LAMPORTS)], None)
    await world.chain.submit(submission)
    world.node.tick(3)
    world.node.reorg(10)
    await world.chain.submit(submission)
    world.finalize()
    assert isinstance(await world.chain.fate(submission), Pending)
    world.node.tick(150)
    assert isinstance(await world.chain.fate(submission), Dead)
    assert world.lamports() == 0


async def test_fate__failed_on_chain__landed_without_movement_but_with_fee_and_reason(world: World) -> None:
    first = await world.chain.prepare(world.account, [world.pay(6 * 10**9)], None)
    second = await world.chain.prepare(world.account, [world.pay(6 * 10**9 + 1)], None)
    await world.chain.submit(first)
    await world.chain.submit(second)  # both were payable when simulated, the second no longer is
    receipt = (await _final(world, second)).receipt
    assert not receipt.succeeded
    assert receipt.movements == ()
    assert receipt.fee > 0
    assert "insufficient lamports" in receipt.reason


async def test_prepare__program_refuses__reverted_with_its_reason(world: World) -> None:
    token = world.mint(1)
    wrong = Call(ID, str(TOKEN_PROGRAM_ID), bytes([99]), "nonsense")
    with pytest.raises(Reverted, match="InstructionError"):
        await world.chain.prepare(world.account, [wrong], None)
    assert (await world.chain.snapshot([world.account], [token])).holdings[world.account, token.id] == 1


async def test_prepare__more_than_held__unfunded(world: World) -> None:
    with pytest.raises(Unfunded, match="insufficient lamports"):
        await world.chain.prepare(world.account, [world.pay(10**12)], None)


async def test_prepare__rest_below_rent__unfunded(world: World) -> None:
    with pytest.raises(Unfunded, match="Rent"):
        await world.chain.prepare(world.account, [world.pay(world.lamports(world.keypair.pubkey()) - 10_000)], None)


async def test_prepare__too_many_calls__reverted_with_size(world: World) -> None:
    calls = [world.pay(LAMPORTS, Keypair().pubkey()) for _ in range(40)]
    with pytest.raises(Reverted, match="1232"):
        await world.chain.prepare(world.account, calls, None)


async def test_prepare__node_is_unwell__is_a_reason_to_wait_and_none_to_plan_again(world: World) -> None:
    world.node.faults.fail_methods = {"simulateTransaction": [-32005, "Node is behind by 42 slots"]}
    with pytest.raises(Fault) as fault:
        await world.chain.prepare(world.account, [world.pay(1)], None)
    assert fault.value.reaction is Reaction.RETRY


async def test_prepare__no_key__misconfigured(world: World) -> None:
    with pytest.raises(Misconfigured, match="no key"):
        await world.chain.prepare(AccountId(ID, str(OTHER.pubkey())), [world.pay(1)], None)


async def test_search__touched_account__final_receipts_oldest_first(world: World) -> None:
    sent = []
    for lamports in (LAMPORTS, LAMPORTS + 1):
        submission = await world.chain.prepare(world.account, [world.pay(lamports)], None)
        await world.chain.submit(submission)
        world.finalize()
        sent.append(submission.reference)
    unfinal = await world.chain.prepare(world.account, [world.pay(LAMPORTS + 2)], None)
    await world.chain.submit(unfinal)
    found = await world.chain.search(str(OTHER.pubkey()), [], 0)
    assert [receipt.reference for receipt in found] == sent
    later = await world.chain.search(str(OTHER.pubkey()), [], found[1].height.number)
    assert [receipt.reference for receipt in later] == sent[1:]


async def test_read__absent_and_present_account__empty_and_data(world: World) -> None:
    token = world.mint(1)
    assert await world.chain.read(Call(ID, str(Keypair().pubkey()), b"", "look")) == b""
    assert len(await world.chain.read(Call(ID, token.id.reference, b"", "look"))) == 82


async def test_decimals__native_token_and_wallet__as_the_chain_says(world: World) -> None:
    token = world.mint(1)
    assert await world.chain.decimals(token.id) == 6
    assert await world.chain.decimals(SOL.id) == 9
    with pytest.raises(Misconfigured, match="not a token mint"):
        await world.chain.decimals(TokenId(ID, "token", world.account.address))


async def test_fee__no_congestion__is_the_signature_fee(world: World) -> None:
    assert (await world.chain.fee(200_000)).units == 5_000
