"""EvmChain on a real anvil: snapshots, heights, receipts, searches, quorum."""

from __future__ import annotations

import pytest
from eth_utils.address import to_checksum_address

from chains.base import Call, Unknown
from chains.errors import Misconfigured, Reverted, Unknowable, WrongNetwork
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


async def test_snapshot__tokens_that_burn_all_gas__alone_are_unknown(chain: EvmChain, node: Node) -> None:
    burners = [f"0x{'0' * 38}{name}" for name in ("f1", "f2", "f3", "f4", "f5", "f6")]
    for address in burners:
        node.rpc("anvil_setCode", address, "0xfe")  # INVALID takes all gas the call was given
    node.finalize()
    bad = [Token(TokenId(ID, "erc20", to_checksum_address(address)), "BAD", 18) for address in burners]

    seen = await chain.snapshot([SENDER], [*bad, node.weth_token, ETH])

    assert all(isinstance(seen.holdings[SENDER, token.id], Unknown) for token in bad)
    assert seen.holdings[SENDER, node.weth_token.id] == 0
    assert isinstance(seen.holdings[SENDER, ETH.id], int)


async def test_snapshot__no_multicall_there__all_unknown_and_says_what_to_set(make_chain: MakeChain) -> None:
    seen = await make_chain(multicall="0x000000000000000000000000000000000000dEaD").snapshot([SENDER], [ETH])
    assert seen.holdings[SENDER, ETH.id] == Unknown("nothing answers as Multicall3 there; set `multicall` to its address on this chain")


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


async def test_fee__node_suggests_no_priority_fee__taken_from_the_last_blocks(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    for tip in (1, 2, 3, 4, 5):
        fees = {"maxFeePerGas": hex(10**10), "maxPriorityFeePerGas": hex(tip * 10**8)}
        node.rpc("eth_sendTransaction", {"from": OTHER.address, "to": SENDER.address, "value": "0x1", **fees})
        node.mine()
    proxy = await make_proxy(node)
    proxy.say["eth_maxPriorityFeePerGas"] = {"error": {"code": -32601, "message": "the method does not exist"}}
    proxy.say["eth_feeHistory"] = {"result": {**node.rpc("eth_feeHistory", "0x5", "latest", [50])}}

    estimate = await make_chain(proxy.url).fee(1)

    assert estimate.units == int(node.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16) + 3 * 10**8


async def test_fee__estimate__is_work_times_the_present_price(chain: EvmChain, node: Node) -> None:
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    price = int(block["baseFeePerGas"], 16) + int(node.rpc("eth_maxPriorityFeePerGas"), 16)
    assert (await chain.fee(100_000)).units == 100_000 * price


async def test_read__contract_call__return_data_or_the_contracts_refusal(chain: EvmChain, node: Node) -> None:
    answer = await chain.read(node.weth_call("balanceOf(address)", SENDER.address))
    assert answer == bytes(32)
    with pytest.raises(Reverted, match="withdraw"):
        await chain.read(node.weth_call("withdraw(uint256)", 1))
