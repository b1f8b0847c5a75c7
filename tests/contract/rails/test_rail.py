"""What `bridges.base` promises, asked of every rail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bridges.base import Claimable, Delivered, InTransit
from chains.base import Call
from chains.errors import OutsideTerms, Reverted
from chains.tokens import Amount
from tests.contract.cases.base import RailCase


@pytest.fixture
def case(rail_case: RailCase) -> RailCase:
    return rail_case


def test_lanes__built_again__are_the_same_in_the_same_order(case: RailCase) -> None:
    lanes = case.rail.lanes()
    assert case.lane in lanes
    assert list(lanes) == list(case.rail.lanes()) == list(case.rebuilt().lanes())
    assert len({lane.id for lane in lanes}) == len(lanes)
    assert {lane.rail for lane in lanes} == {case.rail.name}
    assert all(lane.source != lane.target for lane in lanes)


async def test_quote__within_limits__is_whole(case: RailCase) -> None:
    quote = await case.rail.quote(case.lane, case.gives)
    assert (quote.lane, quote.gives, quote.takes.token) == (case.lane, case.gives, case.lane.target)
    assert quote.takes.units > 0
    assert quote.least <= case.gives.units <= quote.most
    assert quote.latency_s >= 0
    assert all(fee.token.id.is_native and fee.units >= 0 for fee in quote.fees)
    assert any(fee.token.chain == case.lane.source.chain and fee.units > 0 for fee in quote.fees)
    assert all(isinstance(text, str) for pair in quote.terms.items() for text in pair)


async def test_quote__outside_its_limits__is_refused(case: RailCase) -> None:
    quote = await case.rail.quote(case.lane, case.gives)
    beyond = quote.most + quote.most // 100 + 1  # a venue may know its limit to a percent only
    with pytest.raises(OutsideTerms):
        await case.rail.quote(case.lane, Amount(case.lane.source, beyond))
    with pytest.raises(OutsideTerms):
        await case.rail.quote(case.lane, Amount(case.lane.source, quote.least - 1))


async def test_depart__wants_more_than_can_be_had__is_outside_terms(case: RailCase) -> None:
    leg = await case.leg()
    with pytest.raises(OutsideTerms):
        await case.rail.depart(await case.leg(least=leg.least.units * 2))


async def test_depart__calls__are_of_the_source_chain_and_say_their_purpose(case: RailCase) -> None:
    calls = await case.rail.depart(await case.leg())
    assert calls
    assert {call.chain for call in calls} == {case.lane.source.chain}
    assert all(call.purpose for call in calls)


async def test_journey__from_departure_to_delivery__keeps_its_terms(case: RailCase) -> None:
    quoted = (await case.leg()).least
    leg = await case.leg(least=quoted.units * 99 // 100)  # so that what is delivered is not simply the least
    before = await case.held(leg.sender, case.lane.source), await case.held(leg.recipient, case.lane.target)
    calls = await case.rail.depart(leg)
    departure = await case.run(calls)
    assert -departure.moved(leg.sender, case.lane.source.id) - _message_fee(case, calls) == case.gives.units
    assert await case.allowance(calls) == 0
    assert list(await case.rail.undo(leg)) == []

    arrival = await case.until(leg, departure, Claimable, Delivered)
    if isinstance(arrival, Claimable):
        await case.run(arrival.calls)
        arrival = await case.until(leg, departure, Delivered)
    assert isinstance(arrival, Delivered)
    assert arrival.receipt.final
    assert arrival.amount.token == case.lane.target
    assert arrival.amount >= leg.least
    assert arrival.amount.units == arrival.receipt.moved(leg.recipient, case.lane.target.id)

    given = before[0] - await case.held(leg.sender, case.lane.source)
    assert given == case.gives.units + case.paid(case.lane.source) + _message_fee(case, calls)
    assert await case.held(leg.recipient, case.lane.target) - before[1] == arrival.amount.units - case.paid(case.lane.target)


def _message_fee(case: RailCase, calls: Sequence[Call]) -> int:
    """What an EVM departure pays besides what it gives, where both are native coin."""
    along = sum(call.value for call in calls)
    return along - case.gives.units if case.lane.source.id.is_native and along else 0


async def test_arrival__asked_on_the_way__only_goes_forward_and_repeats_itself(case: RailCase) -> None:
    leg = await case.leg()
    departure = await case.run(await case.rail.depart(leg))
    order = [InTransit, Claimable, Delivered]
    seen = 0
    for _ in range(60):
        arrival = await case.rail.arrival(leg, departure)
        place = order.index(type(arrival))
        assert place >= seen, f"{arrival} after {order[seen].__name__}"
        seen = place
        if place > 0:
            break
        await case.wait()
    if isinstance(arrival, Claimable):
        await case.run(arrival.calls)
    delivered = await case.until(leg, departure, Delivered)
    for _ in range(3):
        await case.wait()
        assert await case.rail.arrival(leg, departure) == delivered


async def test_arrival__program_restarted__a_rebuilt_rail_knows_the_same(case: RailCase) -> None:
    leg = await case.leg()
    departure = await case.run(await case.rail.depart(leg))
    case.rail, old = case.rebuilt(), case.rail
    arrival = await case.until(leg, departure, Claimable, Delivered)
    assert await old.arrival(leg, departure) == arrival


async def test_arrival__claimed_by_a_stranger__is_delivered_to_us(case: RailCase) -> None:
    leg = await case.leg()
    departure = await case.run(await case.rail.depart(leg))
    arrival = await case.until(leg, departure, Claimable, Delivered)
    if not isinstance(arrival, Claimable):
        pytest.skip("nothing to claim on this rail")
    if leg.recipient.chain not in case.strangers:
        pytest.skip("no stranger with a key here")
    receipt = await case.run(arrival.calls, case.strangers)
    delivered = await case.until(leg, departure, Delivered)
    assert isinstance(delivered, Delivered)
    assert delivered.receipt.reference == receipt.reference
    assert delivered.amount >= leg.least


async def test_arrival__claimed_already__cannot_be_claimed_again(case: RailCase) -> None:
    leg = await case.leg()
    departure = await case.run(await case.rail.depart(leg))
    arrival = await case.until(leg, departure, Claimable, Delivered)
    if not isinstance(arrival, Claimable):
        pytest.skip("nothing to claim on this rail")
    await case.run(arrival.calls)
    chain = case.chains[leg.recipient.chain]
    with pytest.raises(Reverted):
        await chain.prepare(leg.recipient, arrival.calls, await chain.sequence(leg.recipient))


async def test_undo__only_the_approval_happened__takes_it_back(case: RailCase) -> None:
    leg = await case.leg()
    calls = await case.rail.depart(leg)
    if len(calls) == 1 or case.chains[case.lane.source.chain].atomic:
        pytest.skip("this departure is one transaction")
    await case.run(calls[:-1])
    assert await case.allowance(calls) == case.gives.units
    taken_back = await case.rail.undo(leg)
    assert taken_back
    await case.run(taken_back)
    assert await case.allowance(calls) == 0
    assert list(await case.rail.undo(leg)) == []
