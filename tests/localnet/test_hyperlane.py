"""The Hyperlane rail on real mailboxes, routers and programs, with the validators and the relayer that the network runs."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from bridges.base import Arrival, Delivered, InTransit, Lane, Leg, Rail
from bridges.hyperlane.rail import build
from bridges.hyperlane.solana import MESSAGE_RENT
from chains.base import Call, Landed, Receipt, Unknown
from chains.errors import Misconfigured, OutsideTerms, Reverted
from chains.tokens import Amount, Token
from deploy.localnet import Network
from tests.contract.cases.hyperlane import Warp, warp

pytestmark = pytest.mark.localnet

UNIT = 10**6
LOOKS = 600


@dataclass
class World:
    warp: Warp
    rail: Rail

    def lane(self, source: str, target: str) -> Lane:
        ends = (self.warp.names[source], self.warp.names[target])
        return next(lane for lane in self.rail.lanes() if (lane.source.chain, lane.target.chain) == ends)

    async def leg(self, lane: Lane, units: int) -> Leg:
        quote = await self.rail.quote(lane, Amount(lane.source, units))
        sender, recipient = (self.warp.around.accounts[token.chain] for token in (lane.source, lane.target))
        return Leg(secrets.token_hex(16), lane, quote.gives, quote.takes, sender, recipient, 2**40, quote.terms)

    async def run(self, calls: Sequence[Call]) -> Receipt:
        """Send calls as their chain takes them; the last final receipt."""
        chain = self.warp.chains[calls[0].chain]
        sender = self.warp.around.accounts[chain.id]
        for batch in [calls] if chain.atomic else [[call] for call in calls]:
            submission = await chain.prepare(sender, batch, await chain.sequence(sender))
            await chain.submit(submission)
            for _ in range(LOOKS):
                fate = await chain.fate(submission)
                if isinstance(fate, Landed) and fate.receipt.final:
                    break
                await self.warp.wait()
            assert isinstance(fate, Landed), fate
            assert fate.receipt.succeeded, fate.receipt.reason
        return fate.receipt

    async def depart(self, leg: Leg) -> Receipt:
        return await self.run(await self.rail.depart(leg))

    async def delivered(self, leg: Leg, departure: Receipt) -> Delivered:
        arrival: Arrival | None = None
        for _ in range(LOOKS):
            arrival = await self.rail.arrival(leg, departure)
            if isinstance(arrival, Delivered):
                return arrival
            await self.warp.wait()
        raise AssertionError(arrival)

    async def held(self, token: Token) -> int:
        owner = self.warp.around.accounts[token.chain]
        held = (await self.warp.chains[token.chain].snapshot([owner], [token])).holdings[owner, token.id]
        assert not isinstance(held, Unknown)
        return held

    async def relayer(self, **changes: Any) -> None:
        url = self.warp.network.book["services"]["hyperlane"] + "/control"
        async with aiohttp.ClientSession() as session, session.post(url, json=changes) as answer:
            assert answer.status == 200


@pytest.fixture
async def world(network: Network) -> AsyncIterator[World]:
    async with warp(network) as made:
        yield World(made, build(made.settings, made.around))


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
    assert departure.moved(home.sender, world.warp.chains[home.sender.chain].native.id) == -MESSAGE_RENT
    second = await world.delivered(home, departure)
    assert second.receipt.final
    assert second.amount == Amount(back.target, home.gives.units)
    assert await world.held(back.target) - beta == home.gives.units
    assert await world.rail.undo(leg) == ()
    assert await world.rail.undo(home) == ()


async def test_arrival__relayer_down__waits_under_its_message_id_then_delivers(world: World) -> None:
    leg = await world.leg(world.lane("gamma", "solana"), 50 * UNIT)
    await world.relayer(paused=True)
    try:
        departure = await world.depart(leg)
        waiting = [await world.rail.arrival(leg, departure) for _ in range(3)]
    finally:
        await world.relayer(paused=False)
    assert all(isinstance(arrival, InTransit) and arrival.state == "relaying" for arrival in waiting)
    assert len({arrival.message for arrival in waiting}) == 1
    delivered = await world.delivered(leg, departure)
    assert delivered.message == waiting[0].message
    rebuilt = build(world.warp.settings, world.warp.around)
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
    await world.run(await world.rail.undo(leg))
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
    end = world.warp.settings.chains[chain]
    settings = world.warp.settings.model_copy(
        update={"chains": {**world.warp.settings.chains, chain: end.model_copy(update={"warp": end.mailbox})}}
    )
    with pytest.raises((Misconfigured, Reverted)):
        await build(settings, world.warp.around).quote(lane, Amount(lane.source, UNIT))
