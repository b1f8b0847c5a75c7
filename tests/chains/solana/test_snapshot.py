"""Balances that decide need a quorum: contradictions are Unknown, and so is what only one operator says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from chains.base import Unknown
from chains.errors import Fault, Unknowable
from chains.solana.chain import SolanaChain, build
from deploy.localnet.solana.node import serve
from deploy.localnet.solana.node.account_methods import METHODS

from .conftest import SOL, World, settings


@dataclass
class Pair:
    """Two operators' nodes of one chain; the second adds `lie` lamports to what it says, or does not answer at all."""

    world: World
    chain: SolanaChain
    lie: int = 0
    silent: bool = False


@pytest.fixture
async def pair(world: World, port: Callable[[], int]) -> AsyncIterator[Pair]:
    def accounts(chain: Any, params: Any) -> Any:
        answer = METHODS["getMultipleAccounts"](chain, params)
        if made.silent:
            return None
        for account in filter(None, answer["value"]):
            account["lamports"] += made.lie
        return answer

    async with await serve(world.node, port(), more={"getMultipleAccounts": accounts}) as server:
        chain = build(settings(*world.urls, server.url, quorum=2), {})
        made = Pair(world, chain)
        yield made
        await chain.aclose()


async def test_snapshot__operators_agree__known(pair: Pair) -> None:
    found = await pair.chain.snapshot([pair.world.account], [SOL])
    assert found.holdings[pair.world.account, SOL.id] == 10**10


async def test_snapshot__operators_contradict_each_other__unknown_and_never_one_of_them(pair: Pair) -> None:
    pair.lie = 1
    found = await pair.chain.snapshot([pair.world.account], [SOL])
    assert isinstance(found.holdings[pair.world.account, SOL.id], Unknown)


async def test_snapshot__one_operator_silent__unknown(pair: Pair) -> None:
    pair.silent = True
    found = await pair.chain.snapshot([pair.world.account], [SOL])
    assert isinstance(found.holdings[pair.world.account, SOL.id], Unknown)


async def test_snapshot__nobody_answers__is_a_fault(pair: Pair) -> None:
    pair.world.node.faults.http_status = 503
    with pytest.raises(Fault):
        await pair.chain.snapshot([pair.world.account], [SOL])


async def test_snapshot__too_many_accounts_for_one_slot__says_so(world: World) -> None:
    tokens = [world.mint(1)]
    many = [world.account] + [type(world.account)(world.account.chain, address) for address in _addresses(100)]
    with pytest.raises(Unknowable, match="most 100"):
        await world.chain.snapshot(many, [*tokens, SOL])


def _addresses(count: int) -> list[str]:
    from solders.keypair import Keypair

    return [str(Keypair().pubkey()) for _ in range(count)]
