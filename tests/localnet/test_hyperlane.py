"""The Hyperlane rail on real mailboxes, routers and programs, with the validators and the relayer that the network runs."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak
from solders.keypair import Keypair

from bridges.base import Arrival, Delivered, InTransit, Lane, Leg, Rail, Surroundings
from bridges.http import Http
from bridges.hyperlane.rail import build
from bridges.hyperlane.settings import HyperlaneSettings
from chains.base import Call, Chain, Dead, Landed, Receipt, Unknown
from chains.errors import Misconfigured, OutsideTerms, Reverted
from chains.evm.chain import build as build_evm
from chains.ids import AccountId, ChainId, TokenId
from chains.settings import EndpointSettings, EvmSettings, NativeSettings, SolanaSettings
from chains.solana.chain import build as build_solana
from chains.tokens import Amount, Token
from deploy.localnet import Network, rpc

pytestmark = pytest.mark.localnet

PORT_BASE = 18705  # every process of it listens between 18750 and 18770
ETHER, SOL, UNIT = 10**18, 10**9, 10**6
LOOKS = 600


class DevSigner:
    """A public development key of the network, as a chain signs with it."""

    def __init__(self, owner: AccountId, sign: Any) -> None:
        self.account, self._sign = owner, sign

    async def sign(self, unsigned: bytes) -> bytes:
        return bytes(self._sign(unsigned))


@dataclass
class World:
    network: Network
    rail: Rail
    settings: HyperlaneSettings
    around: Surroundings
    chains: dict[ChainId, Chain]

    def lane(self, source: str, target: str) -> Lane:
        named = {entry["name"]: chain for chain, entry in self.network.book["chains"].items()}
        return next(
            lane for lane in self.rail.lanes() if (str(lane.source.chain), str(lane.target.chain)) == (named[source], named[target])
        )

    async def leg(self, lane: Lane, units: int) -> Leg:
        quote = await self.rail.quote(lane, Amount(lane.source, units))
        sender, recipient = self.around.accounts[lane.source.chain], self.around.accounts[lane.target.chain]
        return Leg(secrets.token_hex(16), lane, quote.gives, quote.takes, sender, recipient, 2**40, quote.terms)

    async def run(self, calls: tuple[Call, ...]) -> Receipt:
        chain = self.chains[calls[0].chain]
        sender = self.around.accounts[chain.id]
        for batch in [calls] if chain.atomic else [(call,) for call in calls]:
            submission = await chain.prepare(sender, batch, await chain.sequence(sender))
            await chain.submit(submission)
            for _ in range(LOOKS):
                fate = await chain.fate(submission)
                if isinstance(fate, Dead) or (isinstance(fate, Landed) and fate.receipt.final):
                    break
                await asyncio.sleep(0.1)
            assert isinstance(fate, Landed), fate
            assert fate.receipt.succeeded, fate.receipt.reason
        return fate.receipt

    async def depart(self, leg: Leg) -> Receipt:
        return await self.run(tuple(await self.rail.depart(leg)))

    async def delivered(self, leg: Leg, departure: Receipt) -> Delivered:
        arrival: Arrival | None = None
        for _ in range(LOOKS):
            arrival = await self.rail.arrival(leg, departure)
            if isinstance(arrival, Delivered):
                return arrival
            await asyncio.sleep(0.1)
        raise AssertionError(arrival)

    async def held(self, token: Token) -> int:
        owner = self.around.accounts[token.chain]
        held = (await self.chains[token.chain].snapshot([owner], [token])).holdings[owner, token.id]
        assert not isinstance(held, Unknown)
        return held

    def control(self, **changes: Any) -> None:
        post(self.network.book["services"]["hyperlane"] + "/control", changes)


def post(url: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    network = Network.up(tmp_path_factory.mktemp("hyperlane-network"), PORT_BASE)
    yield network
    network.down()


def endpoints(entry: dict[str, Any]) -> tuple[EndpointSettings, ...]:
    return (EndpointSettings(url=entry["rpc"][0], trust_domain="localnet", per_second=10_000),)


def evm(network: Network, chain: ChainId, entry: dict[str, Any]) -> tuple[Chain, AccountId, Token]:
    key = Account.create()
    owner = AccountId(chain, key.address)
    levers = network.evm(entry["name"])
    levers.deal("native", key.address, 10 * ETHER)
    levers.deal("USDC", key.address, 10_000 * UNIT)

    def sign(unsigned: bytes) -> bytes:
        raw = key.unsafe_sign_hash(keccak(unsigned))
        return raw.r.to_bytes(32, "big") + raw.s.to_bytes(32, "big") + bytes([raw.v - 27])

    settings = EvmSettings(
        id=chain,
        name=entry["name"],
        endpoints=endpoints(entry),
        native=NativeSettings(asset="ETH", decimals=18, slip44=60),
        multicall=entry["contracts"]["Multicall3"],
    )
    token = Token(TokenId(chain, "erc20", entry["contracts"]["USDC"]), "USDC", 6)
    return build_evm(settings, {owner: DevSigner(owner, sign)}), owner, token


def solana(chain: ChainId, entry: dict[str, Any]) -> tuple[Chain, AccountId, Token]:
    key = Keypair()
    owner = AccountId(chain, str(key.pubkey()))
    rpc.request(entry["rpc"][0], "requestAirdrop", owner.address, SOL)
    settings = SolanaSettings(
        id=chain, name="solana", endpoints=endpoints(entry), native=NativeSettings(asset="SOL", decimals=9, slip44=501)
    )
    token = Token(TokenId(chain, "token", entry["mints"]["USDC"]), "USDC", 6)
    return build_solana(settings, {owner: DevSigner(owner, lambda data: bytes(key.sign_message(data)))}), owner, token


@pytest.fixture
async def world(network: Network) -> AsyncIterator[World]:
    chains, accounts, tokens, ends = {}, {}, {}, {}
    for text, entry in network.book["chains"].items():
        chain = ChainId.parse(text)
        made = solana(chain, entry) if chain.namespace == "solana" else evm(network, chain, entry)
        chains[chain], accounts[chain], token = made
        tokens[token.id] = token
        names = entry.get("programs") or entry["contracts"]
        mailbox, warp = names.get("mailbox") or names["HyperlaneMailbox"], names.get("warp_usdc") or names["HyperlaneWarpUSDC"]
        ends[text] = {"domain": entry["hyperlane_domain"], "mailbox": mailbox, "warp": warp, "token": str(token.id)}
    settings = HyperlaneSettings.model_validate({"chains": ends})
    around = Surroundings(readers=chains, tokens=tokens, accounts=accounts, http=Http())
    yield World(network, build(settings, around), settings, around, chains)
    for reader in chains.values():
        await reader.aclose()


async def test_round_trip__to_a_wallet_without_token_account_and_back__every_unit_arrives(world: World) -> None:
    there, back = world.lane("alpha", "solana"), world.lane("solana", "beta")
    alpha, beta = await world.held(there.source), await world.held(back.target)
    leg = await world.leg(there, 1_234 * UNIT + 567)
    departure = await world.depart(leg)
    assert departure.moved(leg.sender, there.source.id) == -leg.gives.units
    first = await world.delivered(leg, departure)
    assert first.amount == Amount(there.target, leg.gives.units)
    assert await world.held(there.target) == leg.gives.units
    assert alpha - await world.held(there.source) == leg.gives.units

    home = await world.leg(back, 1_000 * UNIT)
    departure = await world.depart(home)
    assert departure.moved(home.sender, back.source.id) == -home.gives.units
    second = await world.delivered(home, departure)
    assert second.receipt.final
    assert second.amount == Amount(back.target, home.gives.units)
    assert await world.held(back.target) - beta == home.gives.units
    assert await world.rail.undo(leg) == ()
    assert await world.rail.undo(home) == ()


async def test_arrival__relayer_down__waits_under_its_message_id_then_delivers(world: World) -> None:
    leg = await world.leg(world.lane("gamma", "solana"), 50 * UNIT)
    world.control(paused=True)
    try:
        departure = await world.depart(leg)
        waiting = [await world.rail.arrival(leg, departure) for _ in range(3)]
    finally:
        world.control(paused=False)
    assert all(isinstance(arrival, InTransit) and arrival.state == "relaying" for arrival in waiting)
    assert len({arrival.message for arrival in waiting}) == 1
    delivered = await world.delivered(leg, departure)
    assert delivered.message == waiting[0].message
    rebuilt = build(world.settings, world.around)
    assert await rebuilt.arrival(leg, departure) == delivered


async def test_depart__same_leg_signed_again_on_solana__cannot_dispatch_twice(world: World) -> None:
    fund = await world.leg(world.lane("beta", "solana"), 30 * UNIT)
    await world.delivered(fund, await world.depart(fund))
    leg = await world.leg(world.lane("solana", "beta"), 10 * UNIT)
    departure = await world.depart(leg)
    with pytest.raises(Reverted):
        await world.depart(leg)
    assert await world.held(leg.lane.source) == 20 * UNIT
    assert (await world.delivered(leg, departure)).amount.units == 10 * UNIT


async def test_arrival__receipt_of_another_leg__misconfigured(world: World) -> None:
    one, other = await world.leg(world.lane("alpha", "solana"), 20 * UNIT), await world.leg(world.lane("alpha", "solana"), 21 * UNIT)
    departure = await world.depart(one)
    with pytest.raises(Misconfigured, match="no message as we signed it"):
        await world.rail.arrival(other, departure)
    await world.delivered(one, departure)


async def test_undo__departure_stopped_after_the_approval__takes_it_back(world: World) -> None:
    leg = await world.leg(world.lane("alpha", "solana"), 20 * UNIT)
    approve, _ = await world.rail.depart(leg)
    await world.run((approve,))
    await world.run(tuple(await world.rail.undo(leg)))
    assert await world.rail.undo(leg) == ()


async def test_quote__more_than_the_target_holds_or_less_than_the_minimum__outside_terms(world: World) -> None:
    lane = world.lane("alpha", "solana")
    most = (await world.rail.quote(lane, Amount(lane.source, UNIT))).most
    for units in (most + 1, 1):
        with pytest.raises(OutsideTerms, match="takes"):
            await world.rail.quote(lane, Amount(lane.source, units))


async def test_quote__routers_not_enrolled__outside_terms(world: World) -> None:
    lane = world.lane("alpha", "beta")
    with pytest.raises(OutsideTerms, match="knows no other end"):
        await world.rail.quote(lane, Amount(lane.source, UNIT))


async def test_depart__message_dearer_than_agreed__outside_terms(world: World) -> None:
    leg = await world.leg(world.lane("alpha", "solana"), UNIT)
    with pytest.raises(OutsideTerms, match="above"):
        await world.rail.depart(replace(leg, terms={**leg.terms, "fee_ceiling": "1"}))


@pytest.mark.parametrize("wrong", ["alpha", "solana"])
async def test_quote__router_configured_wrong__misconfigured_before_anything_is_sent(world: World, wrong: str) -> None:
    lane = world.lane("alpha", "solana")
    chain = lane.source.chain if wrong == "alpha" else lane.target.chain
    end = world.settings.chains[chain]
    settings = world.settings.model_copy(update={"chains": {**world.settings.chains, chain: end.model_copy(update={"warp": end.mailbox})}})
    with pytest.raises((Misconfigured, Reverted)):
        await build(settings, world.around).quote(lane, Amount(lane.source, UNIT))
