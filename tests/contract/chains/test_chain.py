"""What `chains.base` promises, asked of every chain."""

from __future__ import annotations

import contextlib

import pytest

from chains.base import Dead, Landed, Pending, Unknown
from chains.errors import Misconfigured, Reverted, SendInDoubt, Unfunded, WrongNetwork
from tests.contract.cases.base import ChainCase

TOO_MUCH = 10**30


@pytest.fixture
def case(chain_case: ChainCase) -> ChainCase:
    return chain_case


async def test_chain__names__fit_together(case: ChainCase) -> None:
    assert case.chain.native.id.is_native
    assert {case.chain.native.chain, case.token.chain, case.owner.chain} == {case.chain.id}
    assert case.chain.atomic == (case.chain.id.namespace == "solana")


async def test_snapshot__everything_asked_for__is_there_at_one_final_height(case: ChainCase) -> None:
    head = await case.chain.head()
    tokens = [case.token, case.chain.native]
    snapshot = await case.chain.snapshot([case.owner, case.friend], tokens)
    assert snapshot.chain == case.chain.id
    assert snapshot.height.number >= head.number
    assert set(snapshot.holdings) == {(account, token.id) for account in (case.owner, case.friend) for token in tokens}
    assert all(isinstance(held, int) for held in snapshot.holdings.values())
    assert snapshot.holdings[case.owner, case.token.id] > 0
    assert snapshot.holdings[case.owner, case.chain.native.id] > 0


async def test_snapshot__token_that_does_not_exist__is_unknown_and_the_others_are_not(case: ChainCase) -> None:
    holdings = (await case.chain.snapshot([case.owner], [case.missing, case.token])).holdings
    assert isinstance(holdings[case.owner, case.missing.id], Unknown)
    assert isinstance(holdings[case.owner, case.token.id], int)


async def test_decimals__token__as_the_chain_says(case: ChainCase) -> None:
    assert await case.chain.decimals(case.token.id) == case.token.decimals
    assert await case.chain.decimals(case.chain.native.id) == case.chain.native.decimals
    with pytest.raises(Misconfigured):
        await case.chain.decimals(case.missing.id)


async def test_stopped__tokens_that_move__nothing_to_say(case: ChainCase) -> None:
    assert await case.chain.stopped(case.owner, case.token.id) == ""
    assert await case.chain.stopped(case.owner, case.chain.native.id) == ""


async def test_fee__more_work__costs_more_native_coin(case: ChainCase) -> None:
    small, large = await case.chain.fee(100_000), await case.chain.fee(100_000_000)
    assert small.token == case.chain.native
    assert 0 < small.units <= large.units


async def test_prepare__not_submitted__changes_nothing(case: ChainCase) -> None:
    before = await case.balance(case.owner, case.token), await case.chain.sequence(case.owner)
    submission = await case.chain.prepare(case.owner, [case.pay(5)], before[1])
    await case.wait()
    assert (submission.chain, submission.sender) == (case.chain.id, case.owner)
    assert await case.chain.receipt(submission.reference) is None
    assert isinstance(await case.chain.fate(submission), Pending)
    assert (await case.balance(case.owner, case.token), await case.chain.sequence(case.owner)) == before


async def test_prepare__without_a_key__is_misconfigured(case: ChainCase) -> None:
    with pytest.raises(Misconfigured):
        await case.chain.prepare(case.friend, [case.pay(5)], await case.chain.sequence(case.friend))


async def test_prepare__more_token_than_held__is_refused_with_a_reason(case: ChainCase) -> None:
    too_much = await case.balance(case.owner, case.token) + 1
    with pytest.raises((Reverted, Unfunded)) as refused:
        await case.chain.prepare(case.owner, [case.pay(too_much)], await case.chain.sequence(case.owner))
    assert str(refused.value)


async def test_prepare__more_native_coin_than_held__is_refused(case: ChainCase) -> None:
    too_much = await case.balance(case.owner, case.chain.native) + 1
    with pytest.raises((Reverted, Unfunded)):
        await case.chain.prepare(case.owner, [case.pay_native(too_much)], await case.chain.sequence(case.owner))


async def test_submit__landed__has_the_reference_that_was_known_before(case: ChainCase) -> None:
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    await case.chain.submit(submission)
    receipt = await case.settle(case.chain, submission)
    assert (receipt.reference, receipt.sender, receipt.chain) == (submission.reference, case.owner, case.chain.id)
    assert receipt.succeeded
    assert await case.chain.receipt(submission.reference) == receipt


async def test_submit__sent_again_and_again__lands_once(case: ChainCase) -> None:
    before = await case.balance(case.friend, case.token)
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    for _ in range(2):
        await case.chain.submit(submission)
    await case.settle(case.chain, submission)
    with contextlib.suppress(SendInDoubt):
        await case.chain.submit(submission)
    await case.run(case.pay(7))
    assert await case.balance(case.friend, case.token) - before == 5 + 7


async def test_submit__equal_payments__both_land(case: ChainCase) -> None:
    before = await case.balance(case.friend, case.token)
    submissions = []
    for _ in range(2):
        submissions.append(await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner)))
        await case.chain.submit(submissions[-1])
    for submission in submissions:
        await case.settle(case.chain, submission)
    assert len({submission.reference for submission in submissions}) == 2
    assert await case.balance(case.friend, case.token) - before == 10


async def test_fate__reply_lost__finds_it(case: ChainCase) -> None:
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    with pytest.raises(SendInDoubt):
        await case.lose_reply(submission)
    receipt = await case.settle(case.chain, submission)
    assert receipt.moved(case.friend, case.token.id) == 5


async def test_fate__failed_on_chain__is_landed_and_cost_the_fee_only(case: ChainCase) -> None:
    before = await case.balance(case.owner, case.chain.native)
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    await case.spoil()
    with contextlib.suppress(SendInDoubt):
        await case.chain.submit(submission)
    receipt = await case.settle(case.chain, submission)
    assert not receipt.succeeded
    assert receipt.reason
    assert receipt.moved(case.owner, case.token.id) == receipt.moved(case.friend, case.token.id) == 0
    assert before - await case.balance(case.owner, case.chain.native) == receipt.fee > 0


@pytest.mark.parametrize("native", [False, True], ids=["token", "native"])
async def test_receipt__movements__equal_the_change_of_balances(case: ChainCase, native: bool) -> None:
    pairs = [(account, token) for account in (case.owner, case.friend) for token in (case.token, case.chain.native)]
    before = [await case.balance(*pair) for pair in pairs]
    receipt = await case.run(case.pay_native(3_000_000) if native else case.pay(5))
    after = [await case.balance(*pair) for pair in pairs]
    fees = [receipt.fee if pair == (case.owner, case.chain.native) else 0 for pair in pairs]
    moved = [receipt.moved(account, token.id) for account, token in pairs]
    assert [a - b for a, b in zip(after, before)] == [m - fee for m, fee in zip(moved, fees)]
    assert moved == ([0, -3_000_000, 0, 3_000_000] if native else [-5, 0, 5, 0])
    assert receipt.fee > 0


async def test_fate__landed_a_moment_ago__is_not_final_yet(case: ChainCase) -> None:
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    before = await case.balance(case.owner, case.token)
    await case.land(submission)
    fate = await case.chain.fate(submission)
    assert isinstance(fate, Pending) or not fate.receipt.final
    assert await case.balance(case.owner, case.token) == before
    receipt = await case.settle(case.chain, submission)
    assert receipt.height.number <= (await case.chain.head()).number
    assert await case.balance(case.owner, case.token) == before - 5


async def test_fate__cannot_land_any_more__is_dead_and_stays_so(case: ChainCase) -> None:
    before = await case.balance(case.friend, case.token)
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    assert isinstance(await case.chain.fate(submission), Pending)
    await case.kill(submission)
    fate = await case.chain.fate(submission)
    assert isinstance(fate, Dead)
    assert fate.proof
    with contextlib.suppress(SendInDoubt):
        await case.chain.submit(submission)
    await case.run(case.pay(7))
    assert isinstance(await case.chain.fate(submission), Dead)
    assert await case.balance(case.friend, case.token) - before == 7


async def test_fate__landed__stays_landed(case: ChainCase) -> None:
    submission = await case.chain.prepare(case.owner, [case.pay(5)], await case.chain.sequence(case.owner))
    await case.chain.submit(submission)
    receipt = await case.settle(case.chain, submission)
    await case.run(case.pay(7))
    assert await case.chain.fate(submission) == Landed(receipt)


async def test_search__payments_since_a_height__finds_them_oldest_first(case: ChainCase) -> None:
    address, topics = case.footprint()
    receipts = [await case.run(case.pay(units)) for units in (5, 6)]
    found = [receipt.reference for receipt in await case.chain.search(address, topics, receipts[0].height.number)]
    assert [reference for reference in found if reference in {r.reference for r in receipts}] == [r.reference for r in receipts]
    later = await case.chain.search(address, topics, receipts[1].height.number)
    assert receipts[0].reference not in [receipt.reference for receipt in later]
    assert receipts[1].reference in [receipt.reference for receipt in later]


async def test_wrong_network__any_question__is_refused(case: ChainCase) -> None:
    stranger = case.elsewhere()
    with pytest.raises(WrongNetwork):
        await stranger.head()
    with pytest.raises(WrongNetwork):
        await stranger.snapshot([], [])


async def test_atomic__one_call_of_several_fails__none_happens(case: ChainCase) -> None:
    if not case.chain.atomic:
        with pytest.raises(ValueError, match="one"):
            await case.chain.prepare(case.owner, [case.pay(5), case.pay(6)], await case.chain.sequence(case.owner))
        return
    before = await case.balance(case.friend, case.token)
    receipt = await case.run(case.pay(5), case.pay(6))
    assert receipt.moved(case.friend, case.token.id) == 11
    with pytest.raises((Reverted, Unfunded)):
        await case.chain.prepare(case.owner, [case.pay(5), case.pay(10**17)], None)
    assert await case.balance(case.friend, case.token) - before == 11


async def test_cosigners__needed__sign_when_their_seed_is_there(case: ChainCase) -> None:
    receipt = await case.run(case.cosigned(b"\x07" * 32))
    assert receipt.succeeded
    with pytest.raises((Misconfigured, Reverted)):
        await case.chain.prepare(case.owner, [case.cosigned(b"\x08" * 32, named=False)], None)
