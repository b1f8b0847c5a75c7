"""The simulated implementations as cases of the contract suites."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bridges.base import Rail
from bridges.simulated import Pool, SimulatedBridge, SimulatedVenue, Terms, install_bridge, install_pool
from chains.base import AccountMeta, Call, Submission
from chains.ids import ChainId, TokenId
from chains.simulated import (
    LOST_REPLY,
    Pace,
    SimulatedChain,
    SimulatedNetwork,
    SimulatedWorld,
    address_of,
    cosigner_name,
    encode,
    topic,
    transfer,
)
from chains.tokens import Amount, Token
from tests.contract.cases.base import ChainCase, RailCase

ALPHA = ChainId.parse("eip155:31337001")
BETA = ChainId.parse("eip155:31337002")
SOLANA = ChainId.parse("solana:SimuLated11111111111111111111111")
PACE = Pace(block_s=2, finality=3, expiry=10)


def network_in(world: SimulatedWorld, chain: ChainId, decimals: int = 6) -> tuple[SimulatedNetwork, Token]:
    """A network with a token, and with a funded owner and stranger."""
    network = world.add(SimulatedNetwork(Token(TokenId(chain, "slip44", "60"), "COIN", 18), PACE))
    token = token_of(chain, "usdc", decimals)
    network.add(token)
    for name in ("owner", "stranger"):
        network.fund(network.account(name), network.native.id, 10**18)
        network.fund(network.account(name), token.id, 10**12)
    return network, token


def token_of(chain: ChainId, name: str, decimals: int = 6) -> Token:
    return Token(TokenId(chain, "erc20" if chain.namespace == "eip155" else "token", address_of(chain, name)), name.upper(), decimals)


class SimulatedChainCase(ChainCase):
    def __init__(self, chain: ChainId) -> None:
        self.world = SimulatedWorld()
        self.network, self.token = network_in(self.world, chain)
        self.owner, self.friend = self.network.account("owner"), self.network.account("friend")
        self.chain: SimulatedChain = self.world.chain(chain, [self.owner])
        self.missing = token_of(chain, "nothing")

    async def wait(self) -> None:
        self.world.tick(PACE.block_s)

    def pay(self, units: int) -> Call:
        return transfer(self.token.id, self.friend.address, units)

    def pay_native(self, units: int) -> Call:
        return transfer(self.network.native.id, self.friend.address, units)

    def footprint(self) -> tuple[str, Sequence[str | None]]:
        if self.network.atomic:
            return self.friend.address, ()
        return self.token.id.reference, (topic("Transfer"), None, topic(self.friend.address))

    async def lose_reply(self, submission: Submission) -> None:
        self.network.faults.sends.append(LOST_REPLY)
        await self.chain.submit(submission)

    async def spoil(self) -> None:
        self.network.pause(self.token.id)

    async def land(self, submission: Submission) -> None:
        await self.chain.submit(submission)
        self.world.tick(PACE.block_s)

    async def kill(self, submission: Submission) -> None:
        if self.network.atomic:
            self.world.tick((PACE.expiry + PACE.finality + 2) * PACE.block_s)
        else:
            self.network.send_as(self.owner, [transfer(self.network.native.id, self.owner.address, 1)])
            self.world.finalize()

    def elsewhere(self) -> SimulatedChain:
        client = self.world.chain(self.network.id)
        self.network.faults.speaks_for = ChainId(self.network.id.namespace, "another")
        return client

    def cosigned(self, seed: bytes, *, named: bool = True) -> Call:
        if not self.network.atomic:
            return super().cosigned(seed)
        accounts = (AccountMeta(cosigner_name(seed), signer=True),)
        return replace(self.pay(1), accounts=accounts, cosigners=(seed,) if named else ())


@asynccontextmanager
async def evm_like() -> AsyncIterator[ChainCase]:
    yield SimulatedChainCase(ALPHA)


@asynccontextmanager
async def solana_like() -> AsyncIterator[ChainCase]:
    yield SimulatedChainCase(SOLANA)


@dataclass
class SimulatedRailCase(RailCase):
    world: SimulatedWorld | None = None
    routes: Sequence[tuple[Token, Token]] = ()
    pools: Sequence[Pool] = ()

    async def wait(self) -> None:
        assert self.world is not None
        self.world.tick(PACE.block_s)

    def rebuilt(self) -> Rail:
        assert self.world is not None
        chains = {chain: self.world.chain(chain) for chain in self.chains}
        if self.pools:
            return SimulatedVenue(self.rail.name, self.pools, chains)
        return SimulatedBridge(self.rail.name, self.routes, chains)

    async def allowance(self, calls: Sequence[Call]) -> int:
        token = self.lane.source.id
        if token.is_native or token.chain.namespace == "solana":
            return 0
        owner = self.accounts[token.chain].address
        look = Call(token.chain, token.reference, encode("allowance", owner=owner, spender=calls[-1].target), "allowance")
        return int(json.loads(await self.chains[token.chain].read(look)))


def _case(world: SimulatedWorld, rail: Rail, gives: Amount, **extra: object) -> SimulatedRailCase:
    names = {name: {chain: network.account(name) for chain, network in world.networks.items()} for name in ("owner", "stranger")}
    chains = {chain: world.chain(chain, [names["owner"][chain], names["stranger"][chain]]) for chain in world.networks}
    lane = next(lane for lane in rail.lanes() if lane.source == gives.token)
    case = SimulatedRailCase(rail, lane, gives, chains, names["owner"], names["stranger"], world=world)
    return replace(case, **extra)


def _bridge(source: ChainId, target: ChainId, terms: Terms) -> SimulatedRailCase:
    world = SimulatedWorld()
    here = network_in(world, source)[1]
    there = network_in(world, target, 9 if target == SOLANA else 6)[1]
    routes = [(here, there), (there, here)]
    install_bridge(world, "hop", routes, terms)
    rail = SimulatedBridge("hop", routes, {chain: world.chain(chain) for chain in world.networks})
    return _case(world, rail, Amount(here, 25_000_001), routes=routes)


@asynccontextmanager
async def bridge() -> AsyncIterator[RailCase]:
    yield _bridge(ALPHA, BETA, Terms(fee_bps=13, minimum=1_000, maximum=10**11, message_fee=5_000))


@asynccontextmanager
async def bridge_from_solana() -> AsyncIterator[RailCase]:
    yield _bridge(SOLANA, ALPHA, Terms(fee_bps=0, minimum=1_000, maximum=10**11))


@asynccontextmanager
async def bridge_to_claim() -> AsyncIterator[RailCase]:
    yield _bridge(ALPHA, SOLANA, Terms(fee_bps=1, minimum=1_000, maximum=10**11, claim=True))


def _venue(native_given: bool) -> SimulatedRailCase:
    world = SimulatedWorld()
    network, token = network_in(world, ALPHA)
    pools = [Pool("pond", (token, network.native))]
    install_pool(network, pools[0], (10**12, 10**21))
    rail = SimulatedVenue("pond", pools, {ALPHA: world.chain(ALPHA)})
    return _case(world, rail, Amount(network.native, 10**17) if native_given else Amount(token, 10**9), pools=pools)


@asynccontextmanager
async def venue() -> AsyncIterator[RailCase]:
    yield _venue(native_given=False)


@asynccontextmanager
async def venue_native_given() -> AsyncIterator[RailCase]:
    yield _venue(native_given=True)
