"""EvmChain on a real anvil: sends, lost replies, caps, foreign transactions and reorganisations."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chains.base import Call, Dead, Landed, Pending
from chains.errors import Misconfigured, OutsideTerms, Reverted, SendInDoubt, Unfunded
from chains.evm.chain import EvmChain

from .conftest import ETH, ETHER, ID, OTHER, SENDER, MakeChain, MakeProxy, Node


def pay(wei: int = 1) -> Call:
    return Call(ID, OTHER.address, b"", "pay", value=wei)


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
    with pytest.raises(Unfunded, match=r"has [\d,.]+ ETH and needs 99,999,999 ETH"):
        await chain.prepare(SENDER, [pay(99_999_999 * ETHER)], None)


async def test_prepare__no_coin_left_for_the_fee__unfunded(chain: EvmChain, node: Node) -> None:
    node.rpc("anvil_setBalance", SENDER.address, hex(1000))
    with pytest.raises(
        Unfunded, match=r"has 0\.000000000000001 ETH and needs .* ETH: 0\.000000000000000001 ETH to send along and up to .* ETH for gas"
    ):
        await chain.prepare(SENDER, [pay(1)], None)


async def test_prepare__one_endpoint_lags__another_simulates(make_chain: MakeChain, make_proxy: MakeProxy, node: Node) -> None:
    lagging = await make_proxy(node)
    lagging.say["eth_call"] = {"error": {"code": -32001, "message": "block not found"}}
    chain = make_chain(lagging.url, node.url)
    submission = await chain.prepare(SENDER, [pay()], None)
    assert lagging.count("eth_call") == 1
    assert submission.sequence == 0


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
