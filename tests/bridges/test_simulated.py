"""The simulated rails' own levers: what their contract suite does not ask of every rail."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bridges.base import Claimable, Delivered, InTransit, Lane, Leg, Refunded, Surroundings
from bridges.http import Http
from bridges.registry import RAILS
from bridges.simulated import Pool, SimulatedBridge, SimulatedVenue, Terms, install_bridge, install_pool
from chains.base import Landed, Receipt
from chains.errors import Misconfigured, OutsideTerms
from chains.ids import ChainId, TokenId
from chains.settings import SimulatedSettings
from chains.simulated import Pace, SimulatedNetwork, SimulatedWorld, address_of
from chains.simulated import build as build_chain
from chains.tokens import Amount, Token

ALPHA = ChainId.parse("eip155:31337001")
SOLANA = ChainId.parse("solana:SimuLated11111111111111111111111")
TERMS = Terms(fee_bps=100, minimum=100, maximum=10**9, latency_s=30)


class Sea:
    """Two networks, USDC (6 decimals on alpha, 9 on the Solana-like one), a bridge between them, and a pool on alpha."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.world = SimulatedWorld()
        self.alpha = self._network(ALPHA, "ETH")
        self.solana = self._network(SOLANA, "SOL")
        self.usdc = Token(TokenId(ALPHA, "erc20", address_of(ALPHA, "usdc")), "USDC", 6)
        self.there = Token(TokenId(SOLANA, "token", address_of(SOLANA, "usdc")), "USDC", 9)
        self.alpha.add(self.usdc)
        self.solana.add(self.there)
        self.us, self.us_there = self.alpha.account("us"), self.solana.account("us")
        self.alpha.fund(self.us, self.usdc.id, 10**9)
        self.routes = [(self.usdc, self.there), (self.there, self.usdc)]
        self.relayer = install_bridge(self.world, "hop", self.routes, terms)
        self.chains = {n.id: self.world.chain(n.id, [n.account("us")]) for n in (self.alpha, self.solana)}
        pool = Pool("pond", (self.usdc, self.alpha.native))
        install_pool(self.alpha, pool, (10**12, 5 * 10**20))
        self.venue = SimulatedVenue("pond", [pool], self.chains)

    def _network(self, chain: ChainId, coin: str) -> SimulatedNetwork:
        network = self.world.add(SimulatedNetwork(Token(TokenId(chain, "slip44", "60"), coin, 18), Pace(2, 3)))
        network.fund(network.account("us"), network.native.id, 10**18)
        return network

    @property
    def bridge(self) -> SimulatedBridge:
        return SimulatedBridge("hop", self.routes, self.chains)

    def leg(self, lane: Lane, gives: int, least: int = 1) -> Leg:
        accounts = {ALPHA: self.us, SOLANA: self.us_there}
        sender, recipient = accounts[lane.source.chain], accounts[lane.target.chain]
        deadline = self.world.clock.now() + 600
        return Leg("0" * 32, lane, Amount(lane.source, gives), Amount(lane.target, least), sender, recipient, deadline)

    async def run(self, calls) -> Receipt:
        for call in calls:
            chain = self.chains[call.chain]
            submission = await chain.prepare({ALPHA: self.us, SOLANA: self.us_there}[call.chain], [call], None)
            await chain.submit(submission)
            self.world.finalize()
            fate = await chain.fate(submission)
            assert isinstance(fate, Landed)
        return fate.receipt

    async def depart(self, gives: int = 1_000_000) -> tuple[Leg, Receipt]:
        leg = self.leg(self.bridge.lanes()[0], gives)
        return leg, await self.run(await self.bridge.depart(leg))


async def test_bridge__time_passes__delivers_scaled_to_the_target_decimals() -> None:
    sea = Sea()
    leg, departure = await sea.depart()
    assert isinstance(await sea.bridge.arrival(leg, departure), InTransit)
    sea.world.tick(60)
    arrival = await sea.bridge.arrival(leg, departure)
    assert isinstance(arrival, Delivered)
    assert arrival.amount == Amount(sea.there, 990_000_000)
    assert sea.alpha.supply(sea.usdc.id) == 10**9 + 10**12 - 1_000_000


async def test_bridge__outage__stays_in_transit_until_it_ends() -> None:
    sea = Sea()
    sea.relayer.outage = True
    leg, departure = await sea.depart()
    sea.world.tick(10_000)
    assert isinstance(await sea.bridge.arrival(leg, departure), InTransit)
    assert [transfer.units for transfer in sea.relayer.under_way] == [990_000_000]
    sea.relayer.outage = False
    sea.world.tick(60)
    assert isinstance(await sea.bridge.arrival(leg, departure), Delivered)


async def test_bridge__short_delivery__reports_what_came() -> None:
    sea = Sea()
    sea.relayer.short = 7
    leg, departure = await sea.depart()
    sea.world.tick(60)
    assert (await sea.bridge.arrival(leg, departure)).amount.units == 990_000_000 - 7


async def test_bridge__refused__refunds_everything_given() -> None:
    sea = Sea()
    sea.relayer.refuse = True
    leg, departure = await sea.depart()
    sea.world.tick(60)
    arrival = await sea.bridge.arrival(leg, departure)
    assert isinstance(arrival, Refunded)
    assert arrival.amount == leg.gives


async def test_bridge__delivery_fails_on_a_paused_token__is_tried_again() -> None:
    sea = Sea()
    sea.solana.pause(sea.there.id)
    leg, departure = await sea.depart()
    sea.world.tick(120)
    assert isinstance(await sea.bridge.arrival(leg, departure), InTransit)
    sea.solana.pause(sea.there.id, False)
    sea.world.tick(60)
    assert isinstance(await sea.bridge.arrival(leg, departure), Delivered)


async def test_bridge__delivery_reorganised_away__is_delivered_once() -> None:
    sea = Sea()
    leg, departure = await sea.depart()
    while not sea.solana.receipts(0):
        sea.world.tick(2)
    sea.solana.reorganise(1, forget=True)
    sea.world.tick(60)
    assert isinstance(await sea.bridge.arrival(leg, departure), Delivered)
    assert sea.solana.supply(sea.there.id) == 990_000_000


@pytest.mark.parametrize("stranger", [False, True])
async def test_bridge__claim__ours_or_a_strangers_counts(stranger: bool) -> None:
    sea = Sea(replace(TERMS, claim=True))
    sea.relayer.stranger = stranger
    leg, departure = await sea.depart()
    sea.world.tick(80)
    arrival = await sea.bridge.arrival(leg, departure)
    if not stranger:
        assert isinstance(arrival, Claimable)
        await sea.run(arrival.calls)
        arrival = await sea.bridge.arrival(leg, departure)
    assert isinstance(arrival, Delivered)
    assert arrival.amount.units == 990_000_000
    assert arrival.receipt.sender == (sea.solana.account("stranger") if stranger else sea.us_there)


async def test_bridge__terms_worsen_before_departure__is_outside_terms() -> None:
    sea = Sea()
    lane = sea.bridge.lanes()[0]
    quote = await sea.bridge.quote(lane, Amount(sea.usdc, 1_000_000))
    sea.relayer.change_terms(replace(TERMS, fee_bps=101))
    with pytest.raises(OutsideTerms):
        await sea.bridge.depart(sea.leg(lane, 1_000_000, least=quote.takes.units))


async def test_bridge__departure_reverts_after_the_approval__undo_takes_the_allowance_back() -> None:
    sea = Sea()
    leg = sea.leg(sea.bridge.lanes()[0], 1_000_000)
    await sea.run((await sea.bridge.depart(leg))[:1])
    calls = await sea.bridge.undo(leg)
    assert len(calls) == 1
    await sea.run(calls)
    assert await sea.bridge.undo(leg) == ()


async def test_venue__swap__gives_what_the_formula_says() -> None:
    sea = Sea()
    lane = sea.venue.lanes()[0]
    gives = Amount(sea.usdc, 10**8)
    quote = await sea.venue.quote(lane, gives)
    assert quote.takes.units == 5 * 10**20 * (10**8 * 9970) // (10**12 * 10_000 + 10**8 * 9970)
    leg = sea.leg(lane, 10**8, least=quote.takes.units)
    receipt = await sea.run(await sea.venue.depart(leg))
    arrival = await sea.venue.arrival(leg, receipt)
    assert isinstance(arrival, Delivered)
    assert arrival.amount == quote.takes


async def test_venue__native_given__needs_no_approval_and_comes_back_less_two_fees() -> None:
    sea = Sea()
    lane = sea.venue.lanes()[1]
    assert lane.source == sea.alpha.native
    leg = sea.leg(lane, 10**17)
    calls = await sea.venue.depart(leg)
    assert [call.value for call in calls] == [10**17]
    receipt = await sea.run(calls)
    assert receipt.moved(sea.us, sea.alpha.native.id) == -(10**17)
    out = 10**12 * (10**17 * 9970) // (5 * 10**20 * 10_000 + 10**17 * 9970)
    assert (await sea.venue.arrival(leg, receipt)).amount == Amount(sea.usdc, out)


async def test_venue__above_its_share_of_the_reserve__is_outside_terms() -> None:
    sea = Sea()
    with pytest.raises(OutsideTerms):
        await sea.venue.quote(sea.venue.lanes()[0], Amount(sea.usdc, 10**11 + 1))


async def test_build__settings_of_one_world__make_working_rails_and_building_again_changes_nothing() -> None:
    usdc_at = {chain: f"{chain}/{kind}:{address_of(chain, 'usdc')}" for chain, kind in ((ALPHA, "erc20"), (SOLANA, "token"))}
    chains = {}
    for chain in (ALPHA, SOLANA):
        owner = address_of(chain, "us")
        settings = SimulatedSettings.model_validate(
            {
                "id": str(chain),
                "name": chain.namespace,
                "world": "of the build test",
                "native": {"asset": "COIN", "decimals": 18, "slip44": 60},
                "balances": {owner: "1"},
                "tokens": {usdc_at[chain]: {"asset": "USDC", "decimals": 6, "balances": {owner: "100"}}},
            }
        )
        chains[chain] = build_chain(settings, {})
    tokens = {t: Token(t, "USDC", 6) for t in map(TokenId.parse, usdc_at.values())}
    tokens |= {c.native.id: c.native for c in chains.values()}
    accounts = {chain: c.network.account("us") for chain, c in chains.items()}
    surroundings = Surroundings(chains, tokens, accounts, Http())
    bridge_settings = RAILS["simulated-bridge"].settings.model_validate(
        {"world": "of the build test", "pairs": [[usdc_at[ALPHA], usdc_at[SOLANA]]], "fee_bps": 100}
    )
    pool = {"tokens": [usdc_at[ALPHA], str(chains[ALPHA].native.id)], "reserves": ["1000", "2.5"]}
    venue_settings = RAILS["simulated-venue"].settings.model_validate({"world": "of the build test", "pools": [pool]})
    for _ in range(2):
        bridge = RAILS["simulated-bridge"].build(bridge_settings, surroundings)
        venue = RAILS["simulated-venue"].build(venue_settings, surroundings)
        assert (len(bridge.lanes()), len(venue.lanes())) == (2, 2)
        lane = bridge.lanes()[0]
        assert (await bridge.quote(lane, Amount(lane.source, 1_000_000))).takes.units == 990_000
        swap = venue.lanes()[0]
        assert (await venue.quote(swap, Amount(swap.source, 10**8))).takes.units == 25 * 10**17 * 9970 // (10 * 10_000 + 9970)


async def test_build__chain_not_of_the_world__is_misconfigured() -> None:
    one, other = (TokenId.parse(f"eip155:{n}/slip44:60") for n in (1, 2))
    settings = RAILS["simulated-bridge"].settings.model_validate({"world": "an empty one", "pairs": [[str(one), str(other)]]})
    tokens = {t: Token(t, "ETH", 18) for t in (one, other)}
    with pytest.raises(Misconfigured, match="no network eip155:1, eip155:2"):
        RAILS["simulated-bridge"].build(settings, Surroundings({}, tokens, {}, Http()))


@pytest.mark.parametrize("seed", range(25))
async def test_world__anything_goes_wrong_for_a_while__nothing_is_lost_or_doubled(seed: int) -> None:
    sea, dice = Sea(replace(TERMS, fee_bps=0, latency_s=10)), random.Random(seed)
    before = sea.alpha.supply(sea.usdc.id) * 1_000 + sea.solana.supply(sea.there.id)
    journeys = []
    for _ in range(25):
        match dice.randrange(5):
            case 0:
                journeys.append(await sea.depart(dice.randrange(100, 10_000)))
            case 1:
                sea.solana.reorganise(dice.randrange(sea.solana.number - sea.solana.finalized + 1), forget=dice.random() < 0.5)
            case 2:
                sea.relayer.outage = dice.random() < 0.5
            case 3:
                sea.relayer.delay = dice.randrange(4)
            case 4:
                sea.solana.pause(sea.there.id, dice.random() < 0.5)
        sea.world.tick(dice.randrange(15))
    sea.relayer.outage = False
    sea.solana.pause(sea.there.id, False)
    sea.world.tick(300)
    assert sea.relayer.under_way == ()
    for leg, departure in journeys:
        arrival = await sea.bridge.arrival(leg, departure)
        assert isinstance(arrival, Delivered)
        assert arrival.amount.units == leg.gives.units * 1_000
    assert sea.alpha.supply(sea.usdc.id) * 1_000 + sea.solana.supply(sea.there.id) == before
