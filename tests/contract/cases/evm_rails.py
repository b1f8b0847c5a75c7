"""CCTP and Uniswap on the local network, as cases of the contract suite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bridges.base import Rail, Surroundings
from bridges.erc20 import allowance
from bridges.http import Http
from bridges.registry import RAILS
from bridges.settings import RailSettings
from chains.base import Call
from chains.evm.chain import build
from chains.ids import ChainId, TokenId
from chains.tokens import Amount, Token
from deploy.localnet import Network
from tests.contract.cases.base import RailCase
from tests.contract.cases.evm import fresh_signer, settings_of

DECIMALS = {"USDC": 6, "WETH": 18}


@dataclass
class EvmRailCase(RailCase):
    network: Network | None = None
    settings: RailSettings | None = None
    surroundings: Surroundings | None = None

    async def wait(self) -> None:
        assert self.network is not None
        for chain in self.chains:
            self.network.evm(str(chain)).mine()
        await asyncio.sleep(0.05)

    def rebuilt(self) -> Rail:
        assert self.settings is not None
        assert self.surroundings is not None
        return RAILS[self.rail.name].build(self.settings, self.surroundings)

    async def allowance(self, calls: Sequence[Call]) -> int:
        source = self.lane.source
        if source.id.is_native:
            return 0
        return await allowance(self.chains[source.chain], source, self.accounts[source.chain], calls[-1].target)


def _book(network: Network, name: str) -> tuple[ChainId, Mapping[str, Any]]:
    return next((ChainId.parse(id), entry) for id, entry in network.book["chains"].items() if entry["name"] == name)


def _token(chain: ChainId, book: Mapping[str, Any], asset: str) -> Token:
    return Token(TokenId(chain, "erc20", book["contracts"][asset]), asset, DECIMALS[asset])


@asynccontextmanager
async def _case(network: Network, rail: str, settings: Mapping[str, Any], names: Sequence[str], gives: int) -> AsyncIterator[RailCase]:
    """A case on the chains of these names, whose first lane gives `gives` units; owner and stranger are new, and have money there."""
    books = dict(_book(network, name) for name in names)
    owners, strangers = ({chain: fresh_signer(chain) for chain in books} for _ in range(2))
    chains = {}
    for chain, book in books.items():
        levers = network.evm(str(chain))
        for signer in (owners[chain], strangers[chain]):
            levers.set_native_balance(signer.account.address, 10**19)
        levers.mint_usdc(owners[chain].account.address, 10**12)
        levers.mine(4)  # so that all of it is final
        signers = {signer.account: signer for signer in (owners[chain], strangers[chain])}
        chains[chain] = build(settings_of(str(chain), book["rpc"][0]), signers)
    tokens = {token.id: token for chain, book in books.items() for token in (_token(chain, book, asset) for asset in DECIMALS)}
    accounts = {chain: signer.account for chain, signer in owners.items()}
    async with Http() as http:
        around = Surroundings(chains, tokens, accounts, http)
        model = RAILS[rail].settings.model_validate(settings)
        built = RAILS[rail].build(model, around)
        lane = built.lanes()[0]
        others = {chain: signer.account for chain, signer in strangers.items()}
        yield EvmRailCase(built, lane, Amount(lane.source, gives), chains, accounts, others, network, model, around)
    for chain in chains.values():
        await chain.aclose()


def _cctp(network: Network, speed: str) -> Any:
    settings: dict[str, Any] = {"iris": network.book["services"]["iris"], "lanes": [speed], "chains": {}}
    for chain, book in (_book(network, "alpha"), _book(network, "beta")):
        settings["chains"][str(chain)] = {
            "domain": book["cctp_domain"],
            "token_messenger": book["contracts"]["CctpTokenMessenger"],
            "message_transmitter": book["contracts"]["CctpMessageTransmitter"],
            "usdc": str(_token(chain, book, "USDC").id),
        }
    return _case(network, "cctp", settings, ("alpha", "beta"), 25_000_001)


def cctp_standard(network: Network) -> Any:
    return _cctp(network, "standard")


def cctp_fast(network: Network) -> Any:
    return _cctp(network, "fast")


def uniswap(network: Network) -> Any:
    chain, book = _book(network, "gamma")
    pair = [str(_token(chain, book, asset).id) for asset in ("USDC", "WETH")]
    contracts = book["contracts"]
    here = {"router": contracts["SwapRouter02"], "quoter": contracts["QuoterV2"], "factory": contracts["UniswapV3Factory"], "pairs": [pair]}
    return _case(network, "uniswap", {"chains": {str(chain): here}}, ("gamma",), 25_000_001)
