"""Receipts as the quorum proves them: blocks being replaced, nodes that lag, and who took a nonce."""

from __future__ import annotations

import pytest

from chains.base import Call
from chains.errors import Unknowable
from chains.evm.heights import Heights
from chains.evm.history import History
from chains.keccak import topic

from .conftest import ID, OTHER, SENDER, MakeChain, MakeProxy, Node, settings


async def test_receipt__its_block_is_not_the_canonical_one__unknowable(make_chain: MakeChain, make_proxy: MakeProxy, node: Node) -> None:
    sent = node.rpc("eth_sendTransaction", {"from": OTHER.address, "to": SENDER.address, "value": "0x1"})
    node.mine()
    proxy = await make_proxy(node)
    forked = {**node.rpc("eth_getTransactionReceipt", sent), "blockHash": "0x" + "ab" * 32}
    proxy.say["eth_getTransactionReceipt"] = {"result": forked}
    with pytest.raises(Unknowable, match="is being replaced"):
        await make_chain(proxy.url).receipt(sent)


async def test_receipt__asked_again_and_after_a_fork__traced_once_for_each_block(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    proxy = await make_proxy(node)
    chain = make_chain(proxy.url)
    submission = await chain.prepare(SENDER, [Call(ID, OTHER.address, b"", "pay", value=3)], None)
    await chain.submit(submission)
    node.mine()

    first, again = [await chain.receipt(submission.reference) for _ in range(2)]
    assert first is not None
    assert first == again
    assert first.moved(OTHER, chain.native.id) == 3
    assert proxy.count("debug_traceTransaction") == 1

    node.rpc("anvil_reorg", 1, [["0x" + submission.raw.hex(), 0]])
    moved = await chain.receipt(submission.reference)
    assert moved is not None
    assert moved.height.hash != first.height.hash
    assert moved.moved(OTHER, chain.native.id) == 3
    assert proxy.count("debug_traceTransaction") == 2


async def test_receipt__one_of_two_domains_lacks_it__unknowable_and_never_none(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    sent = node.rpc("eth_sendTransaction", {"from": OTHER.address, "to": SENDER.address, "value": "0x1"})
    node.finalize()
    pruned = await make_proxy(node)
    pruned.say["eth_getTransactionReceipt"] = {"result": None}
    chain = make_chain(node.url, pruned.url, quorum=2)
    with pytest.raises(Unknowable):
        await chain.receipt(sent)
    assert await chain.receipt("0x" + "ab" * 32) is None


async def test_fate__nodes_hide_the_receipt_of_a_landed_transaction__unknowable_and_not_dead(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    proxy = await make_proxy(node)
    chain = make_chain(proxy.url)
    submission = await chain.prepare(SENDER, [Call(ID, OTHER.address, b"", "pay", value=1)], None)
    await chain.submit(submission)
    node.mine(9)
    proxy.say["eth_getTransactionReceipt"] = {"result": None}
    with pytest.raises(Unknowable, match="do not show by which transaction"):
        await chain.fate(submission)


@pytest.mark.parametrize("blocks", [3, 4, 5, 17, 64, 100])
async def test_taker__any_age__names_the_transaction_and_its_block(blocks: int, make_chain: MakeChain, node: Node) -> None:
    chain = make_chain()
    nonce = int(node.rpc("eth_getTransactionCount", SENDER.address, "latest"), 16)
    taker = node.rpc("eth_sendTransaction", {"from": SENDER.address, "to": OTHER.address, "value": "0x1"})
    node.rpc("eth_sendTransaction", {"from": SENDER.address, "to": OTHER.address, "value": "0x2"})
    node.mine()
    number = int(node.rpc("eth_blockNumber"), 16)
    node.mine(blocks)
    heights = Heights(chain.pool, "alpha", "finalized")
    history = History(settings(node.url, node=node), chain.pool, heights)
    assert await history.taker(SENDER.address, nonce, await heights.finalized()) == (taker, number)


async def test_search__node_has_no_old_trace__tokens_are_found_and_a_receipt_still_asks(
    make_chain: MakeChain, make_proxy: MakeProxy, node: Node
) -> None:
    """A node that prunes answers -32001; what moved as a token is in the events, which it keeps."""
    proxy = await make_proxy(node)
    chain = make_chain(proxy.url)
    since = (await chain.head()).number
    wrap = node.weth_call("deposit()", value=5)
    sent = node.rpc("eth_sendTransaction", {"from": OTHER.address, "to": node.weth, "value": "0x5", "data": "0x" + wrap.data.hex()})
    node.mine()
    proxy.say["debug_traceTransaction"] = {"error": {"code": -32001, "message": "required state is not available"}}
    found = await chain.search(node.weth, [topic("Deposit(address,uint256)")], since)
    assert [receipt.moved(OTHER, node.weth_token.id) for receipt in found] == [5]
    with pytest.raises(Unknowable, match="not available"):
        await chain.receipt(sent)
