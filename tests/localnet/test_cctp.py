"""CCTP on the local network: the rail against the v2 stand-in contracts, Circle's real USDC and the attester with Iris's API."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from bridges.base import Arrival, Claimable, Delivered, InTransit, Leg, Quote, Surroundings
from bridges.cctp.rail import build
from bridges.settings import CctpSettings
from chains.base import Receipt
from chains.errors import OutsideTerms, Reverted
from chains.tokens import Amount
from deploy.localnet.accounts import Role

pytestmark = pytest.mark.localnet

THOUSAND = 1_000 * 10**6
LOOKS = 60


@pytest.fixture
async def rail(desk):
    chains = {
        str(chain): {
            "domain": book["cctp_domain"],
            "token_messenger": book["contracts"]["CctpTokenMessenger"],
            "message_transmitter": book["contracts"]["CctpMessageTransmitter"],
            "usdc": f"{chain}/erc20:{book['contracts']['USDC']}",
        }
        for chain, book in desk.books.items()
    }
    settings = CctpSettings.model_validate({"iris": desk.network.book["services"]["iris"], "chains": chains})
    for name in desk.named:
        desk.network.evm(name).mint_usdc(desk.accounts[desk.named[name]].address, 5 * THOUSAND)
    yield build(settings, Surroundings(desk.chains, desk.tokens(), desk.accounts, desk.http))
    await desk.control("iris", paused=False, delay_s=0, fail_next=0, expiry_blocks=86_400, fast_fee_bps="1")


async def leg_for(desk, rail, lane_id: str, units: int = THOUSAND) -> tuple[Quote, Leg]:
    speed, source, target = lane_id.split()
    lane = next(lane for lane in rail.lanes() if lane.id == f"cctp.{speed}/{desk.named[source]}/{desk.named[target]}")
    quote = await rail.quote(lane, Amount(lane.source, units))
    ends = desk.accounts[lane.source.chain], desk.accounts[lane.target.chain]
    least = Amount(lane.target, units - int(quote.terms["max_fee"]))
    return quote, Leg(uuid4().hex, lane, quote.gives, least, *ends, 2_000_000_000, quote.terms)


async def look(desk, rail, leg: Leg, departure: Receipt, wanted: type[Arrival]) -> Arrival:
    """Ask until the arrival is of this kind; blocks go on meanwhile."""
    found = await rail.arrival(leg, departure)
    for _ in range(LOOKS):
        if isinstance(found, wanted):
            return found
        for chain in (leg.lane.source.chain, leg.lane.target.chain):
            desk.network.evm(str(chain)).mine(1)
        await asyncio.sleep(0.1)
        found = await rail.arrival(leg, departure)
    raise AssertionError(f"still {found}")


def allowance(desk, leg: Leg) -> int:
    levers = desk.network.evm(str(leg.lane.source.chain))
    return int(levers.contract("USDC").call("allowance", leg.sender.address, levers.book["contracts"]["CctpTokenMessenger"]))


async def test_transfer__standard__arrives_to_the_unit_and_leaves_no_allowance(desk, rail):
    quote, leg = await leg_for(desk, rail, "standard alpha beta")
    before = desk.balance(leg.lane.source), desk.balance(leg.lane.target)
    departure = await desk.send(await rail.depart(leg))
    assert departure.moved(leg.sender, leg.lane.source.id) == -THOUSAND
    assert allowance(desk, leg) == 0
    claimable = await look(desk, rail, leg, departure, Claimable)
    claim = await desk.send(claimable.calls)
    found = await look(desk, rail, leg, departure, Delivered)
    assert (found.amount, found.receipt.reference, found.message) == (quote.takes, claim.reference, claimable.message)
    assert quote.takes.units == THOUSAND
    assert (desk.balance(leg.lane.source), desk.balance(leg.lane.target)) == (before[0] - THOUSAND, before[1] + THOUSAND)


async def test_transfer__fast_and_claimed_by_a_stranger__arrives_less_the_fee(desk, rail):
    quote, leg = await leg_for(desk, rail, "fast alpha gamma")
    before = desk.balance(leg.lane.target)
    departure = await desk.send(await rail.depart(leg))
    claimable = await look(desk, rail, leg, departure, Claimable)
    (call,) = claimable.calls
    desk.network.evm("gamma").node.transact({"to": call.target, "data": call.data}, Role.ANYONE, "a stranger's claim")
    found = await look(desk, rail, leg, departure, Delivered)
    assert found.amount == quote.takes == Amount(leg.lane.target, THOUSAND - 100_000)  # 1 bps
    assert desk.balance(leg.lane.target) == before + quote.takes.units


async def test_arrival__attester_away__waits_says_so_and_recovers(desk, rail):
    _, leg = await leg_for(desk, rail, "standard beta alpha")
    departure = await desk.send(await rail.depart(leg))
    await desk.control("iris", paused=True)
    found = await rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "cannot be asked now" in found.detail
    await desk.control("iris", paused=False, delay_s=3600)
    found = await rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "pending_confirmations" in found.detail
    await desk.control("iris", delay_s=0)
    await desk.send((await look(desk, rail, leg, departure, Claimable)).calls)
    assert (await look(desk, rail, leg, departure, Delivered)).amount.units == THOUSAND


async def test_arrival__fast_attestation_expired__is_renewed_and_arrives(desk, rail):
    _, leg = await leg_for(desk, rail, "fast beta gamma")
    departure = await desk.send(await rail.depart(leg))
    await desk.control("iris", expiry_blocks=3)
    await look(desk, rail, leg, departure, Claimable)
    desk.network.evm("gamma").mine(10)
    found = await rail.arrival(leg, departure)
    assert isinstance(found, InTransit)
    assert "a fresh one is asked for" in found.detail
    await desk.control("iris", expiry_blocks=86_400)
    await desk.send((await look(desk, rail, leg, departure, Claimable)).calls)
    assert (await look(desk, rail, leg, departure, Delivered)).amount.units >= leg.least.units


async def test_arrival__target_paused__is_not_offered_as_claimable(desk, rail):
    _, leg = await leg_for(desk, rail, "standard alpha gamma")
    departure = await desk.send(await rail.depart(leg))
    await look(desk, rail, leg, departure, Claimable)
    desk.network.evm("gamma").pause_cctp()
    try:
        found = await rail.arrival(leg, departure)
    finally:
        desk.network.evm("gamma").pause_cctp(False)
    assert isinstance(found, InTransit)
    assert "paused" in found.detail
    await desk.send((await look(desk, rail, leg, departure, Claimable)).calls)


async def test_depart__fast_fee_rose_above_the_terms__is_outside_terms(desk, rail):
    _, leg = await leg_for(desk, rail, "fast alpha beta")
    await desk.control("iris", fast_fee_bps="1.6")
    with pytest.raises(OutsideTerms, match="above the"):
        await rail.depart(leg)


async def test_undo__approved_but_never_burned__takes_the_allowance_back(desk, rail):
    _, leg = await leg_for(desk, rail, "standard alpha beta")
    approval, _ = await rail.depart(leg)
    await desk.send([approval])
    assert allowance(desk, leg) == THOUSAND
    await desk.send(await rail.undo(leg))
    assert allowance(desk, leg) == 0
    assert await rail.undo(leg) == ()


async def test_depart__second_leg_after_a_leftover_allowance__approves_exactly_again(desk, rail):
    _, first = await leg_for(desk, rail, "standard gamma alpha", 2 * THOUSAND)
    await desk.send([(await rail.depart(first))[0]])
    _, second = await leg_for(desk, rail, "standard gamma alpha")
    departure = await desk.send(await rail.depart(second))
    assert allowance(desk, second) == 0
    assert departure.moved(second.sender, second.lane.source.id) == -THOUSAND
    await desk.send((await look(desk, rail, second, departure, Claimable)).calls)
    assert (await look(desk, rail, second, departure, Delivered)).amount.units == THOUSAND


async def test_quote__burn_limit__is_the_minters(desk, rail):
    quote, _ = await leg_for(desk, rail, "standard alpha beta")
    assert quote.most == 10_000_000 * 10**6
    assert all(fee.units > 0 for fee in quote.fees)


async def test_claim__twice__reverts_before_anything_is_sent(desk, rail):
    _, leg = await leg_for(desk, rail, "standard beta gamma")
    departure = await desk.send(await rail.depart(leg))
    claimable = await look(desk, rail, leg, departure, Claimable)
    await desk.send(claimable.calls)
    with pytest.raises(Reverted, match="Nonce already used"):
        await desk.send(claimable.calls)
