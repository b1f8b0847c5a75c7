"""The Hyperlane rail on the local network, from an EVM chain to Solana and back, as cases of the contract suite."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bridges.base import Leg, Rail, Surroundings
from bridges.erc20 import allowance
from bridges.http import Http
from bridges.hyperlane.rail import build
from bridges.hyperlane.settings import HyperlaneSettings
from chains.base import Call, Chain
from chains.evm.chain import build as build_evm
from chains.ids import EVM, AccountId, ChainId, TokenId
from chains.solana.chain import build as build_solana
from chains.tokens import Amount, Token
from deploy.localnet import Network
from tests.contract.cases import evm, solana
from tests.contract.cases.base import RailCase

LAMPORTS, WEI, UNITS = 10**9, 10**19, 10**10
GIVES = 25_000_001


@dataclass
class Warp:
    """The route's ends on the network, and our account on each: with money on EVM chains, with native coin only on Solana."""

    network: Network
    settings: HyperlaneSettings
    around: Surroundings
    chains: dict[ChainId, Chain]
    names: dict[str, ChainId]

    @property
    def solana(self) -> solana.Levers:
        return solana.Levers(solana.solana_of(self.network)[1]["rpc"][0])

    async def wait(self) -> None:
        """A few blocks and slots pass, and a moment for the relayer, which lives by the clock."""
        for chain in self.chains:
            if chain.namespace == EVM:
                self.network.evm(str(chain)).mine()
        await self.solana.pass_slots(8)
        await asyncio.sleep(0.05)


@asynccontextmanager
async def warp(network: Network) -> AsyncIterator[Warp]:
    chains: dict[ChainId, Chain] = {}
    accounts: dict[ChainId, AccountId] = {}
    tokens, ends, names = {}, {}, {}
    for name, entry in network.book["chains"].items():
        chain = ChainId.parse(name)
        names[entry["name"]] = chain
        if chain.namespace == EVM:
            signer, contracts = evm.fresh_signer(chain), entry["contracts"]
            levers = network.evm(name)
            levers.set_native_balance(signer.account.address, WEI)
            levers.mint_usdc(signer.account.address, UNITS)
            levers.mine(4)  # so that all of it is final
            chains[chain] = build_evm(evm.settings_of(name, entry["rpc"][0]), {signer.account: signer})
            token = Token(TokenId(chain, "erc20", contracts["USDC"]), "USDC", 6)
            mailbox, router = contracts["HyperlaneMailbox"], contracts["HyperlaneWarpUSDC"]
        else:
            signer = solana.fresh_signer(chain)
            await solana.Levers(entry["rpc"][0]).ask("requestAirdrop", signer.account.address, LAMPORTS)
            chains[chain] = build_solana(solana.settings_of(name, entry["rpc"][0]), {signer.account: signer})
            token = Token(TokenId(chain, "token", entry["mints"]["USDC"]), "USDC", 6)
            mailbox, router = entry["programs"]["mailbox"], entry["programs"]["warp_usdc"]
        accounts[chain], tokens[token.id] = signer.account, token
        ends[name] = {"domain": entry["hyperlane_domain"], "mailbox": mailbox, "warp": router, "token": str(token.id)}
    async with Http() as http:
        settings = HyperlaneSettings.model_validate({"chains": ends})
        yield Warp(network, settings, Surroundings(chains, tokens, accounts, http), chains, names)
    for opened in chains.values():
        await opened.aclose()


@dataclass
class HyperlaneCase(RailCase):
    warp: Warp | None = None

    async def wait(self) -> None:
        assert self.warp is not None
        await self.warp.wait()

    def rebuilt(self) -> Rail:
        assert self.warp is not None
        return build(self.warp.settings, self.warp.around)

    async def leg(self, least: int | None = None, name: str = "0") -> Leg:
        """Each leg has an id of its own, as in life: on Solana a leg can depart only once."""
        return replace(await super().leg(least, name), id=secrets.token_hex(16))

    async def allowance(self, calls: Sequence[Call]) -> int:
        source = self.lane.source
        if source.chain.namespace != EVM:
            return 0
        return await allowance(self.chains[source.chain], source, self.accounts[source.chain], calls[-1].target)


@asynccontextmanager
async def _case(network: Network, source: str, target: str) -> AsyncIterator[RailCase]:
    async with warp(network) as made:
        rail = build(made.settings, made.around)
        ends = (made.names[source], made.names[target])
        lane = next(lane for lane in rail.lanes() if (lane.source.chain, lane.target.chain) == ends)
        if lane.source.chain.namespace != EVM:
            await made.solana.fund(made.around.accounts[lane.source.chain], lane.source.id.reference, 0, UNITS)
        for _ in range(5):
            await made.wait()
        gives = Amount(lane.source, GIVES)
        yield HyperlaneCase(rail, lane, gives, made.chains, dict(made.around.accounts), warp=made)


@asynccontextmanager
async def to_solana(network: Network) -> AsyncIterator[RailCase]:
    async with _case(network, "alpha", "solana") as case:
        yield case


@asynccontextmanager
async def from_solana(network: Network) -> AsyncIterator[RailCase]:
    async with _case(network, "solana", "beta") as case:
        yield case
