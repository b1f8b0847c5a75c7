"""Uniswap on the local network: the venue against the real v3 contracts and pools of uneven depth."""

from __future__ import annotations

from fractions import Fraction
from uuid import uuid4

import pytest

from bridges.base import Leg, Quote, Surroundings
from bridges.settings import UniswapSettings
from bridges.venues.uniswap import build
from chains.errors import OutsideTerms, Reverted
from chains.tokens import Amount

pytestmark = pytest.mark.localnet

TEN_WETH = 10 * 10**18


@pytest.fixture
def venue(desk):
    chains = {}
    for chain, book in desk.books.items():
        at = {name: f"{chain}/erc20:{book['contracts'][name]}" for name in ("USDC", "WETH", "WBTC")}
        chains[str(chain)] = {
            "router": book["contracts"]["SwapRouter02"],
            "quoter": book["contracts"]["QuoterV2"],
            "factory": book["contracts"]["UniswapV3Factory"],
            "pairs": [[at["WETH"], at["USDC"]], [at["WBTC"], at["USDC"]]],
        }
        levers = desk.network.evm(book["name"])
        levers.deal("WETH", desk.accounts[chain].address, 2 * TEN_WETH)
        levers.mint_usdc(desk.accounts[chain].address, 100_000 * 10**6)
    return build(UniswapSettings.model_validate({"chains": chains}), Surroundings(desk.chains, desk.tokens(), desk.accounts, desk.http))


def lane_of(desk, venue, chain: str, gives: str, takes: str):
    return next(lane for lane in venue.lanes() if (lane.source, lane.target) == (desk.token(chain, gives), desk.token(chain, takes)))


def leg_of(desk, quote: Quote, least: int | None = None, deadline: int = 2_000_000_000) -> Leg:
    account = desk.accounts[quote.lane.source.chain]
    floor = Amount(quote.lane.target, quote.takes.units if least is None else least)
    return Leg(uuid4().hex, quote.lane, quote.gives, floor, account, account, deadline, quote.terms)


def allowance(desk, leg: Leg) -> int:
    levers = desk.network.evm(str(leg.lane.source.chain))
    return int(levers.contract(leg.lane.source.asset).call("allowance", leg.sender.address, levers.book["contracts"]["SwapRouter02"]))


@pytest.mark.parametrize(
    ("chain", "gives", "takes", "units"),
    [("alpha", "WETH", "USDC", 10**18), ("beta", "USDC", "WETH", 10**9), ("gamma", "USDC", "WBTC", 10**9)],
)
async def test_swap__as_quoted__moves_exactly_the_quote_and_leaves_no_allowance(desk, venue, chain, gives, takes, units):
    lane = lane_of(desk, venue, chain, gives, takes)
    quote = await venue.quote(lane, Amount(lane.source, units))
    leg = leg_of(desk, quote)
    before = desk.balance(lane.source), desk.balance(lane.target)
    receipt = await desk.send(await venue.depart(leg))
    found = await venue.arrival(leg, receipt)
    assert (found.amount, found.receipt) == (quote.takes, receipt)
    assert (desk.balance(lane.source), desk.balance(lane.target)) == (before[0] - units, before[1] + quote.takes.units)
    assert receipt.moved(leg.sender, lane.source.id) == -units
    assert allowance(desk, leg) == 0
    assert await venue.undo(leg) == ()


@pytest.mark.parametrize(("gives", "takes"), [("WETH", "USDC"), ("USDC", "WETH")])
async def test_quote__most__moves_the_pool_by_the_configured_share(desk, venue, gives, takes):
    lane = lane_of(desk, venue, "gamma", gives, takes)
    little = Amount(lane.source, 10**15 if gives == "WETH" else 10**6)
    most = (await venue.quote(lane, little)).most
    levers = desk.network.evm("gamma")
    places = levers.book["contracts"][gives], levers.book["contracts"][takes]
    asked = (*places, most, 500, 0)
    _, after, _, _ = levers.contract("QuoterV2").call("quoteExactInputSingle", asked)
    _, now, _, _ = levers.contract("QuoterV2").call("quoteExactInputSingle", (*places, 1, 500, 0))
    low, high = sorted((after, now))
    assert abs(Fraction(low, high) ** 2 - Fraction(99, 100)) < Fraction(1, 10_000)
    with pytest.raises(OutsideTerms, match="100 bps"):
        await venue.quote(lane, Amount(lane.source, most + most // 1000))


async def test_depart__price_fell_below_the_floor__is_outside_terms(desk, venue):
    lane = lane_of(desk, venue, "gamma", "WETH", "USDC")
    leg = leg_of(desk, await venue.quote(lane, Amount(lane.source, 10**18)))
    desk.network.evm("gamma").trade("WETH", "USDC", 10**18, 500)
    with pytest.raises(OutsideTerms, match="below the"):
        await venue.depart(leg)


async def test_swap__price_fell_after_depart__is_refused_by_the_router_and_undone(desk, venue):
    lane = lane_of(desk, venue, "gamma", "WETH", "USDC")
    leg = leg_of(desk, await venue.quote(lane, Amount(lane.source, 10**18)))
    approval, swap = await venue.depart(leg)
    await desk.send([approval])
    desk.network.evm("gamma").trade("WETH", "USDC", 10**18, 500)
    with pytest.raises(Reverted, match="Too little received"):
        await desk.send([swap])
    assert allowance(desk, leg) == 10**18
    await desk.send(await venue.undo(leg))
    assert allowance(desk, leg) == 0


async def test_swap__after_the_deadline__is_refused_by_the_router(desk, venue):
    lane = lane_of(desk, venue, "alpha", "WETH", "USDC")
    leg = leg_of(desk, await venue.quote(lane, Amount(lane.source, 10**18)), deadline=1)
    approval, swap = await venue.depart(leg)
    await desk.send([approval])
    with pytest.raises(Reverted, match="Transaction too old"):
        await desk.send([swap])
    await desk.send(await venue.undo(leg))
