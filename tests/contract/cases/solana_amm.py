"""The Solana swap venue on the local network, either way between SOL and USDC, as cases of the contract suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from bridges.base import Rail, Surroundings
from bridges.http import Http
from bridges.registry import RAILS
from bridges.settings import RailSettings
from chains.solana.chain import build
from chains.tokens import Amount, Token
from deploy.localnet import Network
from tests.contract.cases.base import RailCase
from tests.contract.cases.solana import Levers, SolanaChainCase, settings_of, solana_of

KIND = RAILS["solana-amm"]


def settings_for(network: Network, sol: Token, usdc: Token) -> RailSettings:
    chain, entry = solana_of(network)
    return KIND.settings.model_validate(
        {
            "api": network.book["services"]["jupiter"],
            "chain": str(chain),
            "pairs": [[str(sol.id), str(usdc.id)]],
            "programs": {entry["programs"]["amm"]: "pool"},
        }
    )


@dataclass
class SolanaAmmCase(RailCase):
    surroundings: Surroundings | None = None
    settings: RailSettings | None = None
    levers: Levers | None = None

    async def wait(self) -> None:
        assert self.levers is not None
        await self.levers.pass_slots(8)

    def rebuilt(self) -> Rail:
        assert self.settings is not None
        assert self.surroundings is not None
        return KIND.build(self.settings, self.surroundings)


@asynccontextmanager
async def _case(network: Network, gives_sol: bool) -> AsyncIterator[RailCase]:
    town = SolanaChainCase(network)
    await town.fund()
    chain, sol, usdc = town.chain, town.chain.native, town.token
    reader = build(settings_of(str(chain.id), town.levers.url), {})  # a rail gets no keys
    async with Http() as http:
        accounts = {chain.id: town.owner}
        surroundings = Surroundings({chain.id: reader}, {token.id: token for token in (sol, usdc)}, accounts, http)
        settings = settings_for(network, sol, usdc)
        rail = KIND.build(settings, surroundings)
        gives = Amount(sol, 123_456_789) if gives_sol else Amount(usdc, 12_345_678)
        lane = next(lane for lane in rail.lanes() if lane.source == gives.token)
        chains = {chain.id: chain}
        yield SolanaAmmCase(rail, lane, gives, chains, accounts, surroundings=surroundings, settings=settings, levers=town.levers)
    await chain.aclose()
    await reader.aclose()


def sol_given(network: Network) -> AbstractAsyncContextManager[RailCase]:
    return _case(network, True)


def usdc_given(network: Network) -> AbstractAsyncContextManager[RailCase]:
    return _case(network, False)
