"""A node's bad answers: each one arrives as the right Fault, through plain and typed requests alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from solders.pubkey import Pubkey

from chains.endpoint import Refused
from chains.errors import Fault, RateLimited, Unknowable, Unreachable, WrongNetwork
from chains.ids import ChainId
from chains.solana.chain import build
from chains.solana.transport import Node
from deploy.localnet.solana.node import Chain, serve

from .conftest import ID, World, settings

ERRORS = [
    pytest.param([429, "slow down"], RateLimited, id="429-as-code"),
    pytest.param([-32429, "slow down"], RateLimited, id="provider-code"),
    pytest.param([-32401, "no access"], Refused, id="code-unknown-to-solders"),
    pytest.param([-32005, "node is behind"], Refused, id="error-without-data-panics-solders"),
    pytest.param([-32002, "preflight"], Refused, id="preflight-without-data-panics-solders"),
    pytest.param([-32603, "internal"], Refused, id="known-code"),
]


def _node(world: World) -> Node:
    return Node(ID, settings(*world.urls).endpoints[0])


@pytest.mark.parametrize(("error", "fault"), ERRORS)
async def test_ask__node_answers_an_error__sorted_fault(world: World, error: list[Any], fault: type[Fault]) -> None:
    world.node.faults.fail_methods = {"getBalance": error}
    node = _node(world)
    try:
        with pytest.raises(fault):
            await node.ask("getBalance", world.account.address)
    finally:
        await node.aclose()


@pytest.mark.parametrize(("error", "fault"), ERRORS)
async def test_typed__node_answers_an_error__sorted_fault_and_never_an_int_or_panic(
    world: World, error: list[Any], fault: type[Fault]
) -> None:
    world.node.faults.fail_methods = {"getBalance": error}
    node = _node(world)
    try:
        with pytest.raises(fault):
            await node.typed.get_balance(world.keypair.pubkey())
    finally:
        await node.aclose()


@pytest.mark.parametrize(("status", "fault"), [(429, RateLimited), (503, Unreachable)])
async def test_typed__http_error__sorted_by_status(world: World, status: int, fault: type[Fault]) -> None:
    node = _node(world)
    await node.typed.get_balance(world.keypair.pubkey())
    world.node.faults.http_status = status
    try:
        with pytest.raises(fault):
            await node.typed.get_balance(world.keypair.pubkey())
    finally:
        await node.aclose()


@pytest.mark.parametrize("nonsense", [None, 7, {"value": "many"}, {"context": {"slot": 1}, "value": -1}, [], "x"])
async def test_typed__answer_of_wrong_shape__unknowable(port: Callable[[], int], nonsense: Any) -> None:
    async with await serve(Chain(), port(), more={"getBalance": lambda chain, params: nonsense}) as server:
        node = Node(ID, settings(server.url).endpoints[0])
        with pytest.raises(Unknowable):
            await node.typed.get_balance(Pubkey.default())
        await node.aclose()


async def test_chain__endpoint_of_another_network__fails_closed_before_anything_is_sent(world: World) -> None:
    other = build(settings(*world.urls, chain=ChainId("solana", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")), {})
    with pytest.raises(WrongNetwork, match="correct its url"):
        await other.head()
    await other.aclose()


async def test_chain__no_endpoint_answers__unreachable(port: Callable[[], int]) -> None:
    chain = build(settings(f"http://127.0.0.1:{port()}"), {})
    with pytest.raises(Unreachable):
        await chain.head()
    await chain.aclose()
