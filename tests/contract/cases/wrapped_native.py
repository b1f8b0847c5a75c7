"""Wrapping and unwrapping on the local network, as cases of the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bridges.base import Surroundings
from bridges.http import Http
from bridges.registry import RAILS
from chains.evm.chain import build
from chains.ids import ChainId, TokenId
from chains.tokens import Amount, Token
from deploy.localnet import Network
from tests.contract.cases.base import RailCase
from tests.contract.cases.evm import fresh_signer, settings_of
from tests.contract.cases.evm_rails import EvmRailCase

CHAIN = ChainId("eip155", "31337003")
GIVES = 10**17 + 1


@asynccontextmanager
async def _case(network: Network, direction: int) -> AsyncIterator[RailCase]:
    levers, owner = network.evm(str(CHAIN)), fresh_signer(CHAIN)
    weth = levers.book["contracts"]["WETH"]
    levers.set_native_balance(owner.account.address, 10**19)
    levers.deal("WETH", owner.account.address, 10**18)
    levers.mine(4)  # so that all of it is final
    settings = settings_of(str(CHAIN), levers.book["rpc"][0]).model_copy(update={"wrapped_native": weth})
    chain = build(settings, {owner.account: owner})
    token = Token(TokenId(CHAIN, "erc20", weth), chain.native.asset, 18)
    async with Http() as http:
        around = Surroundings({CHAIN: chain}, {token.id: token}, {CHAIN: owner.account}, http)
        model = RAILS["wrapped-native"].settings.model_validate({"chains": {str(CHAIN): str(token.id)}})
        rail = RAILS["wrapped-native"].build(model, around)
        lane = rail.lanes()[direction]
        yield EvmRailCase(rail, lane, Amount(lane.source, GIVES), {CHAIN: chain}, around.accounts, {}, network, model, around)
    await chain.aclose()


def wrap(network: Network) -> Any:
    return _case(network, 0)


def unwrap(network: Network) -> Any:
    return _case(network, 1)
