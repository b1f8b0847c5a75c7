"""EvmChain on a real anvil: reads, sends, lost replies, foreign transactions and reorganisations."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chains.base import Call, Dead, Landed, Pending, Unknown
from chains.errors import Misconfigured, OutsideTerms, Reverted, SendInDoubt, Unfunded, Unknowable, WrongNetwork
from chains.evm.chain import EvmChain
from chains.evm.heights import FinalityBroken
from chains.evm.receipts import DEPOSIT
from chains.ids import TokenId
from chains.tokens import Token

from .conftest import ETH, ETHER, ID, OTHER, SENDER, MakeChain, MakeProxy, Node


def pay(wei: int = 1) -> Call:
    return Call(ID, OTHER.address, b"", "pay", value=wei)


async def test_snapshot__tokens_native_and_a_wrong_address__exact_balances_and_unknown(chain: EvmChain, node: Node) -> None:
    node.rpc("eth_sendTransaction", {"from": SENDER.address, "to": node.weth, "value": hex(5 * ETHER)})
    node.mine()
    node.finalize()
    ghost = Token(TokenId(ID, "erc20", "0x000000000000000000000000000000000000dEaD"), "GHOST", 18)

    seen = await chain.snapshot([SENDER, OTHER], [ETH, node.weth_token, ghost])

    assert seen.holdings[SENDER, node.weth_token.id] == 5 * ETHER
    assert seen.holdings[OTHER, node.weth_token.id] == 0
    assert seen.holdings[SENDER, ETH.id] == int(node.rpc("eth_getBalance", SENDER.address, hex(seen.height.number)), 16)
    assert isinstance(seen.holdings[SENDER, ghost.id], Unknown)
    assert len(seen.holdings) == 6


async def test_snapshot__newer_blocks_exist__is_pinned_to_the_finalized_one(chain: EvmChain, node: Node) -> None:
    node.rpc("eth_sendTransaction", {"from": SENDER.address, "to": node.weth, "value": hex(ETHER)})
    node.mine()

    seen = await chain.snapshot([SENDER], [node.weth_token])

    assert seen.holdings[SENDER, node.weth_token.id] == 0
    assert seen.height.number == int(node.rpc("eth_blockNumber"), 16) - 2


async def test_decimals__token_and_no_token__read_or_refused(chain: EvmChain, node: Node) -> None:
    assert await chain.decimals(node.weth_token.id) == 18
    with pytest.raises(Misconfigured, match="does not exist"):
        await chain.decimals(TokenId(ID, "erc20", "0x000000000000000000000000000000000000dEaD"))


async def test_send__native_value__lands_final_with_exact_movement_and_fee(chain: EvmChain, node: Node) -> None:
    before = int(node.rpc("eth_getBalance", SENDER.address, "latest"), 16)
    submission = await chain.prepare(SENDER, [pay(7)], await chain.sequence(SENDER))
    assert isinstance(await chain.fate(submission), Pending)

    await chain.submit(submission)
    node.mine()
    first = await chain.fate(submission)
    node.finalize()
    fate = await chain.fate(submission)

    assert isinstance(first, Landed)
    assert not first.receipt.final
    assert isinstance(fate, Landed)
    assert fate.receipt.final
    assert fate.receipt.succeeded
    assert fate.receipt.moved(SENDER, ETH.id) == -7
    assert fate.receipt.moved(OTHER, ETH.id) == 7
    assert int(node.rpc("eth_getBalance", SENDER.address, "latest"), 16) == before - 7 - fate.receipt.fee
    assert await chain.receipt(submission.reference) == fate.receipt


async def test_receipt__wrapping_and_unwrapping__moves_both_coins(chain: EvmChain, node: Node) -> None:
    weth = node.weth_token
    receipts = []
    for call in (node.weth_call("deposit()", value=10), node.weth_call("withdraw(uint256)", 4)):
        submission = await chain.prepare(SENDER, [call], await chain.sequence(SENDER))
        await chain.submit(submission)
        node.mine()
        receipts.append(await chain.receipt(submission.reference))
    wrapped, unwrapped = receipts

    assert wrapped is not None
    assert (wrapped.moved(SENDER, weth.id), wrapped.moved(SENDER, ETH.id)) == (10, -10)
    assert unwrapped is not None
    # The four wei come back by a call inside the transaction: only a trace shows them.
    assert (unwrapped.moved(SENDER, weth.id), unwrapped.moved(SENDER, ETH.id)) == (-4, 4)


async def test_receipt__no_endpoint_traces__falls_back_to_the_own_value_and_says_so(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    proxy = await make_proxy(node)
    proxy.say["debug_traceTransaction"] = {"error": {"code": -32601, "message": "the method does not exist"}}
    chain = make_chain(proxy.url)
    submission = await chain.prepare(SENDER, [pay(3)], None)
    await chain.submit(submission)
    node.mine()
    assert chain.blind_spots == []

    receipt = await chain.receipt(submission.reference)

    assert receipt is not None
    assert receipt.moved(OTHER, ETH.id) == 3
    assert "not seen" in chain.blind_spots[0]


async def test_submit__again__lands_once(chain: EvmChain, node: Node) -> None:
    before = int(node.rpc("eth_getBalance", OTHER.address, "latest"), 16)
    submission = await chain.prepare(SENDER, [pay(5)], None)
    await chain.submit(submission)
    await chain.submit(submission)
    node.mine()
    with pytest.raises(SendInDoubt):
        await chain.submit(submission)  # "nonce too low": no proof of anything
    node.mine()

    assert isinstance(await chain.fate(submission), Landed)
    assert int(node.rpc("eth_getBalance", OTHER.address, "latest"), 16) == before + 5


async def test_submit__reply_lost__in_doubt_after_one_attempt_and_fate_finds_it(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    proxy = await make_proxy(node)
    proxy.lose.add("eth_sendRawTransaction")
    chain = make_chain(proxy.url)
    submission = await chain.prepare(SENDER, [pay()], None)

    with pytest.raises(SendInDoubt, match="does not answer"):
        await chain.submit(submission)
    node.mine()

    assert proxy.count("eth_sendRawTransaction") == 1
    assert isinstance(await chain.fate(submission), Landed)


async def test_submit__several_endpoints__each_is_asked_exactly_once(make_chain: MakeChain, make_proxy: MakeProxy, node: Node) -> None:
    proxies = [await make_proxy(node) for _ in range(2)]
    proxies[0].status["eth_sendRawTransaction"] = 503
    chain = make_chain(*(proxy.url for proxy in proxies))
    submission = await chain.prepare(SENDER, [pay()], None)

    await chain.submit(submission)

    assert [proxy.count("eth_sendRawTransaction") for proxy in proxies] == [1, 1]


async def test_prepare__same_fields__same_bytes(chain: EvmChain) -> None:
    first = await chain.prepare(SENDER, [pay()], 3)
    assert first == await chain.prepare(SENDER, [pay()], 3)
    assert first.sequence == 3


async def test_prepare__call_would_revert__says_why_and_nothing_is_sent(chain: EvmChain, node: Node) -> None:
    with pytest.raises(Reverted, match=r"transfer\(address,uint256\): execution reverted"):
        await chain.prepare(SENDER, [node.weth_call("transfer(address,uint256)", OTHER.address, 1)], None)
    assert node.rpc("txpool_status")["pending"] == "0x0"


async def test_prepare__more_value_than_held__unfunded_with_have_and_need(chain: EvmChain) -> None:
    with pytest.raises(Unfunded, match=r"needs 99,999,999 ETH, .* has [\d,.]+ ETH"):
        await chain.prepare(SENDER, [pay(99_999_999 * ETHER)], None)


async def test_prepare__no_coin_left_for_the_fee__unfunded(chain: EvmChain, node: Node) -> None:
    node.rpc("anvil_setBalance", SENDER.address, hex(1000))
    with pytest.raises(Unfunded, match="needs up to"):
        await chain.prepare(SENDER, [pay(1)], None)


async def test_prepare__no_key__misconfigured(chain: EvmChain) -> None:
    with pytest.raises(Misconfigured, match="no key for"):
        await chain.prepare(OTHER, [pay()], None)


async def test_prepare__base_fee_above_the_cap__outside_terms(make_chain: MakeChain, node: Node) -> None:
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(30 * 10**9))
    node.mine()
    with pytest.raises(OutsideTerms, match=r"the cap is 20 gwei \(max_fee_gwei\)"):
        await make_chain(max_fee_gwei="20").prepare(SENDER, [pay()], None)


async def test_prepare__base_fee_near_the_cap__never_offers_more(make_chain: MakeChain, node: Node) -> None:
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(15 * 10**9))
    node.mine()
    chain = make_chain(max_fee_gwei="20", max_priority_fee_gwei="0.5")
    submission = await chain.prepare(SENDER, [pay()], None)
    await chain.submit(submission)

    seen = node.rpc("eth_getTransactionByHash", submission.reference)

    assert int(seen["maxFeePerGas"], 16) == 20 * 10**9
    assert int(seen["maxPriorityFeePerGas"], 16) == 5 * 10**8


async def test_fate__reverted_on_chain__failed_receipt_with_reason_and_fee(chain: EvmChain, node: Node) -> None:
    deposit = await chain.prepare(SENDER, [node.weth_call("deposit()", value=10)], None)
    await chain.submit(deposit)
    node.mine()
    spend = await chain.prepare(SENDER, [node.weth_call("transfer(address,uint256)", OTHER.address, 10)], None)
    slot = keccak(encode(["address", "uint256"], [SENDER.address, 3]))  # WETH9 keeps balances in slot 3
    node.rpc("anvil_setStorageAt", node.weth, "0x" + slot.hex(), "0x" + "0" * 64)  # they go between simulation and execution
    await chain.submit(spend)
    node.finalize()

    fate = await chain.fate(spend)

    assert isinstance(fate, Landed)
    assert (fate.receipt.succeeded, fate.receipt.final) == (False, True)
    assert "revert" in fate.receipt.reason
    assert fate.receipt.movements == ()
    assert fate.receipt.fee > 0


async def test_fate__another_transaction_took_the_nonce__dead_and_foreign_only_when_final(chain: EvmChain, node: Node) -> None:
    node.finalize()
    submission = await chain.prepare(SENDER, [pay(1)], await chain.sequence(SENDER))
    foreign = node.rpc("eth_sendTransaction", {"from": SENDER.address, "to": OTHER.address, "value": "0x2"})
    node.mine()
    assert isinstance(await chain.fate(submission), Pending)
    node.mine(40)

    fate = await chain.fate(submission)

    assert isinstance(fate, Dead)
    assert fate.foreign
    assert foreign in fate.proof


async def test_fate__reorg_before_finality__landed_becomes_pending_and_the_same_bytes_land_again(chain: EvmChain, node: Node) -> None:
    submission = await chain.prepare(SENDER, [pay(9)], None)
    await chain.submit(submission)
    node.mine()
    landed = await chain.fate(submission)
    node.rpc("anvil_reorg", 1, [])
    gone = await chain.fate(submission)
    await chain.submit(submission)
    node.finalize()
    again = await chain.fate(submission)

    assert isinstance(landed, Landed)
    assert not landed.receipt.final
    assert isinstance(gone, Pending)
    assert isinstance(again, Landed)
    assert again.receipt.final
    assert again.receipt.moved(OTHER, ETH.id) == 9


async def test_head__final_block_replaced__halts(make_chain: MakeChain, node: Node) -> None:
    chain = make_chain(finality=1)
    node.mine(4)
    await chain.head()
    node.rpc("anvil_reorg", 3, [])
    node.mine(1)
    with pytest.raises(FinalityBroken, match="until a person has looked"):
        await chain.head()


async def test_head__depth_instead_of_tag__that_many_blocks_below_the_newest(make_chain: MakeChain, node: Node) -> None:
    node.mine(10)
    assert (await make_chain(finality=7).head()).number == int(node.rpc("eth_blockNumber"), 16) - 7


async def test_decide__two_nodes_tell_different_histories__unknowable_with_both_answers(
    make_chain: MakeChain, node: Node, other_node: Node
) -> None:
    other_node.mine(int(node.rpc("eth_blockNumber"), 16))
    chain = make_chain(node.url, other_node.url, quorum=2)

    with pytest.raises(Unknowable, match=r"operator-0.*operator-1"):
        await chain.snapshot([SENDER], [ETH])

    assert chain.pool.dispute_count == 1
    dispute = chain.pool.disputes[0]
    assert (len(dispute.answers), dispute.settled) == (2, False)


async def test_decide__majority_against_one_liar__answers_and_keeps_the_dispute(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    liar = await make_proxy(node)
    liar.say["eth_call"] = {"result": "0x" + "11" * 32}
    chain = make_chain(node.url, node.url, liar.url, quorum=2)

    assert await chain.decimals(node.weth_token.id) == 18
    assert chain.pool.disputes[0].settled


async def test_wrong_network__behind_one_endpoint__nothing_is_read_or_sent(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    good, wrong = await make_proxy(node), await make_proxy(node)
    submission = await make_chain().prepare(SENDER, [pay()], None)
    wrong.say["eth_chainId"] = {"result": "0x1"}
    chain = make_chain(good.url, wrong.url)

    with pytest.raises(WrongNetwork, match=r"operator-1 .* speaks for network '1'; the configuration says '31337701'"):
        await chain.submit(submission)
    with pytest.raises(WrongNetwork):
        await chain.head()

    assert good.count("eth_sendRawTransaction") + wrong.count("eth_sendRawTransaction") == 0
    assert set(wrong.asked) == {"eth_chainId"}


async def test_search__deposits_by_others__found_once_each_in_order(make_chain: MakeChain, node: Node) -> None:
    since = int(node.rpc("eth_blockNumber"), 16)
    sent = []
    for units in (1, 2, 3):
        sent.append(node.rpc("eth_sendTransaction", {"from": OTHER.address, "to": node.weth, "value": hex(units)}))
        node.mine(2)
    chain = make_chain(log_range=2)
    found = await chain.search(node.weth, [DEPOSIT, None], since)

    assert [receipt.reference for receipt in found] == sent
    assert [receipt.moved(OTHER, node.weth_token.id) for receipt in found] == [1, 2, 3]
    assert await chain.search(node.weth, [DEPOSIT, "0x" + "0" * 64], since) == []


async def test_fee__estimate__is_work_times_the_present_price(chain: EvmChain, node: Node) -> None:
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    price = int(block["baseFeePerGas"], 16) + int(node.rpc("eth_maxPriorityFeePerGas"), 16)
    assert (await chain.fee(100_000)).units == 100_000 * price


async def test_read__contract_call__return_data_or_the_contracts_refusal(chain: EvmChain, node: Node) -> None:
    answer = await chain.read(node.weth_call("balanceOf(address)", SENDER.address))
    assert answer == bytes(32)
    with pytest.raises(Reverted, match="withdraw"):
        await chain.read(node.weth_call("withdraw(uint256)", 1))
