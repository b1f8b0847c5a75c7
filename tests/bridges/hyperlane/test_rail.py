"""The rail's judgement over two EVM ends whose contracts answer from memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from eth_abi.abi import encode

from bridges.abi import calldata, topic, word
from bridges.base import Delivered, InTransit, Leg, Surroundings
from bridges.http import Http
from bridges.hyperlane.message import Transfer, message_id
from bridges.hyperlane.rail import HyperlaneRail, build
from bridges.hyperlane.settings import HyperlaneSettings
from chains.base import Call, Height, Log, Movement, Receipt, Snapshot
from chains.errors import Misconfigured, OutsideTerms
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token

ALPHA, BETA = ChainId.parse("eip155:31337001"), ChainId.parse("eip155:31337002")
OURS = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
MAILBOX, WARP, USDC = ("0x" + digit * 40 for digit in "123")
UNIT = 10**6


def usdc(chain: ChainId) -> Token:
    return Token(TokenId(chain, "erc20", USDC), "USDC", 6)


@dataclass
class Contracts:
    """A chain whose mailbox, route and token answer reads as told; it implements chains.base.Reader."""

    id: ChainId
    routers: dict[int, bytes]
    collateral: int = 1_000 * UNIT
    hook_fee: int = 10**14
    token_fee: int = 0
    allowed: int = 0
    delivered: set[str] = field(default_factory=set)
    found: list[Receipt] = field(default_factory=list)

    @property
    def native(self) -> Token:
        return Token(TokenId(self.id, "slip44", "60"), "ETH", 18)

    async def head(self) -> Height:
        return Height(100, "0x0", 0)

    async def fee(self, work: int) -> Amount:
        return Amount(self.native, work)

    async def read(self, call: Call) -> bytes:
        answers: dict[tuple[str, bytes], Callable[[bytes], tuple[str, Any]]] = {
            (WARP, calldata("routers", ["uint32"], [0])[:4]): lambda data: (
                "bytes32",
                self.routers.get(int.from_bytes(data, "big"), bytes(32)),
            ),
            (WARP, calldata("quoteTransferRemote", ["uint32", "bytes32", "uint256"], [0, bytes(32), 0])[:4]): self._quotes,
            (USDC, calldata("balanceOf", ["address"], [OURS])[:4]): lambda data: ("uint256", self.collateral),
            (USDC, calldata("allowance", ["address", "address"], [OURS, WARP])[:4]): lambda data: ("uint256", self.allowed),
            (MAILBOX, calldata("delivered", ["bytes32"], [bytes(32)])[:4]): lambda data: ("bool", "0x" + data.hex() in self.delivered),
        }
        kind, value = answers[call.target, call.data[:4]](call.data[4:])
        return encode([kind], [value])

    def _quotes(self, data: bytes) -> tuple[str, Any]:
        units = int.from_bytes(data[-32:], "big")
        return "(address,uint256)[]", [("0x" + "0" * 40, self.hook_fee), (USDC, units + self.token_fee)]

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        wanted = [one for one in self.found if one.height.number >= since]
        return [one for one in wanted if any(log.address == address and log.topics == tuple(topics) for log in one.logs)]

    async def snapshot(self, accounts: Sequence[AccountId], tokens: Sequence[Token]) -> Snapshot:
        raise NotImplementedError

    async def decimals(self, token: TokenId) -> int:
        return 6

    async def receipt(self, reference: str) -> Receipt | None:
        return None

    async def aclose(self) -> None:
        return None


@dataclass
class World:
    alpha: Contracts
    beta: Contracts
    rail: HyperlaneRail

    async def leg(self, units: int = 100 * UNIT) -> Leg:
        lane = self.rail.lanes()[0]
        quote = await self.rail.quote(lane, Amount(lane.source, units))
        return Leg("0" * 32, lane, quote.gives, quote.takes, AccountId(ALPHA, OURS), AccountId(BETA, OURS), 2**40, quote.terms)


@pytest.fixture
def world() -> World:
    alpha = Contracts(ALPHA, {31337002: word(WARP)})
    beta = Contracts(BETA, {31337001: word(WARP)})
    ends = {
        str(chain): {"domain": int(chain.reference), "mailbox": MAILBOX, "warp": WARP, "token": str(usdc(chain).id)}
        for chain in (ALPHA, BETA)
    }
    around = Surroundings(
        readers={ALPHA: alpha, BETA: beta},
        tokens={usdc(chain).id: usdc(chain) for chain in (ALPHA, BETA)},
        accounts={chain: AccountId(chain, OURS) for chain in (ALPHA, BETA)},
        http=Http(),
    )
    rail = build(HyperlaneSettings.model_validate({"chains": ends}), around)
    assert isinstance(rail, HyperlaneRail)
    return World(alpha, beta, rail)


def message(leg: Leg, nonce: int = 7) -> bytes:
    return Transfer(31337001, word(WARP), 31337002, word(WARP), word(OURS), leg.gives.units).encode(nonce)


def departure(leg: Leg, *messages: bytes, final: bool = True, mailbox: str = MAILBOX) -> Receipt:
    topics = (topic("Dispatch(address,uint32,bytes32,bytes)"), "0x" + word(WARP).hex())
    logs = tuple(Log(mailbox, topics, encode(["bytes"], [one])) for one in messages)
    return Receipt(ALPHA, "0xdeparture", leg.sender, Height(1, "0x1", 1), True, final, 0, (), logs)


def delivery(leg: Leg, units: int, final: bool = True, height: int = 101) -> Receipt:
    log = Log(MAILBOX, (topic("ProcessId(bytes32)"), message_id(message(leg))), b"")
    moved = (Movement(leg.recipient, leg.lane.target.id, units),) if units else ()
    return Receipt(BETA, "0xdelivery", AccountId(BETA, MAILBOX), Height(height, "0x2", 2), True, final, 0, moved, (log,))


def delivered(world: World, leg: Leg, receipt: Receipt | None) -> None:
    world.beta.delivered.add(message_id(message(leg)))
    world.beta.found = [] if receipt is None else [receipt]


async def test_quote__fees__are_message_and_network_in_the_source_coin(world: World) -> None:
    lane = world.rail.lanes()[0]
    quote = await world.rail.quote(lane, Amount(lane.source, 100 * UNIT))
    assert [fee.token for fee in quote.fees] == [world.alpha.native]
    assert quote.fees[0].units > 10**14
    assert (quote.takes.units, quote.least, quote.most) == (100 * UNIT, 10_000, 1_000 * UNIT)
    assert quote.terms == {"fee_ceiling": str(15 * 10**13), "since": "100"}


async def test_depart__calls__approve_exactly_then_send_with_the_fee_as_value(world: World) -> None:
    leg = await world.leg()
    approval, transfer = await world.rail.depart(leg)
    assert approval.data == calldata("approve", ["address", "uint256"], [WARP, leg.gives.units])
    assert transfer.data == calldata("transferRemote", ["uint32", "bytes32", "uint256"], [31337002, word(OURS), leg.gives.units])
    assert (approval.target, transfer.target, approval.value, transfer.value) == (USDC, WARP, 0, 10**14)


async def test_quote__route_takes_a_token_fee__outside_terms(world: World) -> None:
    world.alpha.token_fee = 1
    with pytest.raises(OutsideTerms, match="token fees"):
        await world.leg()


async def test_quote__other_end_does_not_know_us__outside_terms(world: World) -> None:
    world.beta.routers.clear()
    with pytest.raises(OutsideTerms, match="knows no other end"):
        await world.leg()


async def test_depart__router_changed_since_the_quote__misconfigured(world: World) -> None:
    leg = await world.leg()
    world.alpha.routers[31337002] = word(MAILBOX)
    with pytest.raises(Misconfigured, match="value would be lost"):
        await world.rail.depart(leg)


async def test_depart__collateral_gone_since_the_quote__outside_terms(world: World) -> None:
    leg = await world.leg()
    world.beta.collateral = leg.gives.units - 1
    with pytest.raises(OutsideTerms, match="can release"):
        await world.rail.depart(leg)


async def test_depart__message_dearer__within_the_ceiling_taken_and_above_it_refused(world: World) -> None:
    leg = await world.leg()
    world.alpha.hook_fee = int(leg.terms["fee_ceiling"])
    assert (await world.rail.depart(leg))[-1].value == world.alpha.hook_fee
    world.alpha.hook_fee += 1
    with pytest.raises(OutsideTerms, match="above"):
        await world.rail.depart(leg)


async def test_undo__allowance_left_or_none__revoked_or_nothing(world: World) -> None:
    leg = await world.leg()
    assert list(await world.rail.undo(leg)) == []
    world.alpha.allowed = 5
    (revoke,) = await world.rail.undo(leg)
    assert revoke.data == calldata("approve", ["address", "uint256"], [WARP, 0])


async def test_arrival__stages__in_order_under_one_message_id(world: World) -> None:
    leg = await world.leg()
    ours = message_id(message(leg))
    assert await world.rail.arrival(leg, departure(leg, message(leg), final=False)) == InTransit(
        "source_confirmed", "dispatched, but not final yet", ours
    )
    left = departure(leg, message(leg))
    waiting = await world.rail.arrival(leg, left)
    assert isinstance(waiting, InTransit)
    assert (waiting.state, waiting.message) == ("relaying", ours)
    world.beta.collateral = 1
    assert "more collateral" in str(await world.rail.arrival(leg, left))
    delivered(world, leg, None)
    assert "looking for" in str(await world.rail.arrival(leg, left))
    delivered(world, leg, delivery(leg, leg.gives.units, final=False))
    assert "not final yet" in str(await world.rail.arrival(leg, left))
    last = delivery(leg, leg.gives.units)
    delivered(world, leg, last)
    assert await world.rail.arrival(leg, left) == Delivered(Amount(leg.lane.target, leg.gives.units), last, ours)


@pytest.mark.parametrize(("moved", "booked"), [(250 * UNIT, 100 * UNIT), (99 * UNIT, 99 * UNIT)])
async def test_arrival__delivery_moved_more_or_less__ours_at_most_and_never_more_than_moved(world: World, moved: int, booked: int) -> None:
    leg = await world.leg()
    delivered(world, leg, delivery(leg, moved))
    arrival = await world.rail.arrival(leg, departure(leg, message(leg)))
    assert isinstance(arrival, Delivered)
    assert arrival.amount.units == booked


async def test_arrival__delivered_but_nothing_reached_us__stays_in_transit_and_says_so(world: World) -> None:
    leg = await world.leg()
    delivered(world, leg, delivery(leg, 0))
    arrival = await world.rail.arrival(leg, departure(leg, message(leg)))
    assert isinstance(arrival, InTransit)
    assert "ATTENTION" in arrival.detail


async def test_arrival__same_event_of_another_contract_or_another_message__is_not_ours(world: World) -> None:
    leg = await world.leg()
    other = message(replace(leg, gives=Amount(leg.lane.source, 1)))
    for receipt in (departure(leg, message(leg), mailbox=USDC), departure(leg, other), departure(leg)):
        with pytest.raises(Misconfigured, match="no message as we signed it"):
            await world.rail.arrival(leg, receipt)


async def test_arrival__several_messages_in_one_transaction__finds_ours(world: World) -> None:
    leg = await world.leg()
    other = message(replace(leg, gives=Amount(leg.lane.source, 1)), nonce=6)
    arrival = await world.rail.arrival(leg, departure(leg, other, message(leg)))
    assert isinstance(arrival, InTransit)
    assert arrival.message == message_id(message(leg))


def test_build__pairs_named__only_their_lanes_both_ways() -> None:
    chains = [ALPHA, BETA, ChainId.parse("eip155:31337003")]
    ends = {str(one): {"domain": int(one.reference), "mailbox": MAILBOX, "warp": WARP, "token": str(usdc(one).id)} for one in chains}
    around = Surroundings(
        readers={one: Contracts(one, {}) for one in chains},
        tokens={usdc(one).id: usdc(one) for one in chains},
        accounts={one: AccountId(one, OURS) for one in chains},
        http=Http(),
    )
    every = build(HyperlaneSettings.model_validate({"chains": ends}), around).lanes()
    some = build(HyperlaneSettings.model_validate({"chains": ends, "pairs": [[str(BETA), str(ALPHA)]]}), around).lanes()
    assert len(every) == 6
    assert [lane.id for lane in some] == ["hyperlane/eip155:31337001/eip155:31337002", "hyperlane/eip155:31337002/eip155:31337001"]


def test_build__token_or_chain_not_of_the_treasury__misconfigured(world: World) -> None:
    ends = {str(one): {"domain": int(one.reference), "mailbox": MAILBOX, "warp": WARP, "token": str(usdc(one).id)} for one in (ALPHA, BETA)}
    settings = HyperlaneSettings.model_validate({"chains": ends})
    accounts = {one: AccountId(one, OURS) for one in (ALPHA, BETA)}
    readers = {ALPHA: world.alpha, BETA: world.beta}
    with pytest.raises(Misconfigured, match="no token of this treasury"):
        build(settings, Surroundings(readers, {usdc(ALPHA).id: usdc(ALPHA)}, accounts, Http()))
    with pytest.raises(Misconfigured, match="no chain of this treasury"):
        build(settings, Surroundings({ALPHA: world.alpha}, {usdc(ALPHA).id: usdc(ALPHA)}, accounts, Http()))
