"""The Uniswap venue over one chain in memory whose pools follow v3's formula within one price range."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from math import isqrt

import pytest
from eth_abi.abi import decode, encode

from bridges.abi import topic
from bridges.base import Delivered, Leg, Surroundings
from bridges.settings import UniswapSettings
from bridges.venues.uniswap import build, limit_price
from chains.base import Call, Height, Movement, Receipt
from chains.errors import Misconfigured, OutsideTerms, Reverted
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token

ALPHA = ChainId.parse("eip155:31337001")
ROUTER, QUOTER, FACTORY, OURS = ("0x" + digit * 40 for digit in "1234")
USDC = Token(TokenId(ALPHA, "erc20", "0x" + "5" * 40), "USDC", 6)
WETH = Token(TokenId(ALPHA, "erc20", "0x" + "6" * 40), "WETH", 18)
NATIVE = Token(TokenId(ALPHA, "slip44", "60"), "ETH", 18)
Q96 = 2**96
PRICE = isqrt(Q96 * Q96 * 10**18 // (3000 * 10**6))  # sqrtPriceX96: base units of WETH (token1) per USDC (token0), 3000 USDC a WETH


def _selector(signature: str) -> bytes:
    return bytes.fromhex(topic(signature)[2:10])


QUOTE_IN = _selector("quoteExactInputSingle((address,address,uint256,uint24,uint160))")
QUOTE_OUT = _selector("quoteExactOutputSingle((address,address,uint256,uint24,uint160))")


class Pools:
    """Readers' view of QuoterV2, the factory and the pools: `liquidity` by fee tier, one price, endless range (whitepaper 6.2)."""

    id = ALPHA
    native = NATIVE

    def __init__(self, liquidity: dict[int, int]) -> None:
        self.liquidity = liquidity
        self.allowance = 0
        self.reads = 0

    async def fee(self, work: int) -> Amount:
        return Amount(NATIVE, work)

    async def read(self, call: Call) -> bytes:
        self.reads += 1
        selector, data = call.data[:4], call.data[4:]
        if selector == _selector("allowance(address,address)"):
            return encode(["uint256"], [self.allowance])
        if selector == _selector("getPool(address,address,uint24)"):
            return encode(["address"], [f"0x{decode(['address', 'address', 'uint24'], data)[2]:040x}"])
        if selector == _selector("slot0()"):
            return encode(["uint160", "int24"], [PRICE, 0])
        assert call.target == QUOTER
        ((source, _, amount, tier, limit),) = decode(["(address,address,uint256,uint24,uint160)"], data)
        if tier not in self.liquidity:
            raise Reverted("no pool")
        answer = self._swap_in(source, amount, tier, limit) if selector == QUOTE_IN else self._swap_out(source, amount, tier)
        return encode(["uint256", "uint160", "uint32", "uint256"], [answer, PRICE, 1, 100_000])

    def _swap_in(self, source: str, amount: int, tier: int, limit: int) -> int:
        size, root, net = self.liquidity[tier], Fraction(PRICE, Q96), amount * Fraction(1_000_000 - tier, 1_000_000)
        if source == USDC.id.reference:
            after = max(size * root / (size + net * root), Fraction(limit, Q96))
            return int(size * (root - after))
        after = root + net / size
        after = min(after, Fraction(limit, Q96)) if limit else after
        return int(size * (1 / root - 1 / after))

    def _swap_out(self, source: str, amount: int, tier: int) -> int:
        size, root = self.liquidity[tier], Fraction(PRICE, Q96)
        if source == USDC.id.reference:
            net = size * (1 / (root - Fraction(amount, size)) - 1 / root)
        else:
            net = size * (1 / (1 / root - Fraction(amount, size)) - root)
        return int(net * Fraction(1_000_000, 1_000_000 - tier)) + 1


@pytest.fixture
def venue():
    """(rail, pools) with pools of this liquidity."""

    def made(liquidity: dict[int, int], **changes: object):
        here = {"router": ROUTER, "quoter": QUOTER, "factory": FACTORY, "pairs": [[str(USDC.id), str(WETH.id)]]}
        settings = UniswapSettings.model_validate({"chains": {str(ALPHA): here}, **changes})
        pools = Pools(liquidity)
        around = Surroundings({ALPHA: pools}, {USDC.id: USDC, WETH.id: WETH}, {ALPHA: AccountId(ALPHA, OURS)}, http=None)
        return build(settings, around), pools

    return made


def leg_over(lane, units: int, least: int, tier: str = "500") -> Leg:
    account = AccountId(ALPHA, OURS)
    return Leg("1" * 32, lane, Amount(lane.source, units), Amount(lane.target, least), account, account, 1_900_000_000, {"fee_tier": tier})


DEEP = 10**21


def test_lanes__one_pair__are_both_directions(venue):
    rail, _ = venue({500: DEEP})
    assert [lane.id for lane in rail.lanes()] == [
        f"uniswap/{ALPHA}/{USDC.id.reference}/{WETH.id.reference}",
        f"uniswap/{ALPHA}/{WETH.id.reference}/{USDC.id.reference}",
    ]
    assert {lane.kind for lane in rail.lanes()} == {"swap"}


def test_build__token_outside_the_treasury__is_misconfigured(venue):
    here = {"router": ROUTER, "quoter": QUOTER, "factory": FACTORY, "pairs": [[str(USDC.id), str(WETH.id)]]}
    settings = UniswapSettings.model_validate({"chains": {str(ALPHA): here}})
    around = Surroundings({ALPHA: Pools({})}, {USDC.id: USDC}, {}, http=None)
    with pytest.raises(Misconfigured, match="no token of this treasury"):
        build(settings, around)
    with pytest.raises(Misconfigured, match="no chain of this treasury"):
        build(settings, dataclasses.replace(around, readers={}))


# ---- quote ----


@pytest.mark.parametrize(
    ("liquidity", "tier"), [({500: DEEP, 3000: DEEP}, "500"), ({500: 10**15, 3000: DEEP}, "3000"), ({3000: DEEP}, "3000")]
)
async def test_quote__several_tiers__takes_the_best_one_for_the_amount(venue, liquidity, tier):
    rail, _ = venue(liquidity)
    quote = await rail.quote(rail.lanes()[0], Amount(USDC, 1000 * 10**6))
    assert quote.terms == {"fee_tier": tier}
    assert 0 < quote.takes.units < 10**18 // 3


async def test_quotes__several_amounts__are_the_single_quotes_and_look_at_limits_once(venue):
    rail, pools = venue({500: DEEP, 3000: DEEP})
    lane = rail.lanes()[0]
    amounts = [Amount(USDC, units * 10**6) for units in (1, 10, 1000)]
    together = await rail.quotes(lane, amounts)
    read = pools.reads
    assert together == [await rail.quote(lane, amount) for amount in amounts]
    alone = pools.reads - read
    again = pools.reads
    await rail.quotes(lane, amounts)
    assert pools.reads - again == alone - 2 * 3  # the limit is three reads, and was needed for each of the two others


async def test_quotes__one_amount_too_large__is_refused_with_the_limit(venue):
    rail, _ = venue({500: DEEP})
    lane = rail.lanes()[0]
    most = (await rail.quote(lane, Amount(USDC, 1))).most
    with pytest.raises(OutsideTerms, match="would move the price") as refused:
        await rail.quotes(lane, [Amount(USDC, 1), Amount(USDC, most + 1)])
    assert refused.value.most == most


@pytest.mark.parametrize("direction", [0, 1])
async def test_quote__most__is_where_the_price_has_worsened_by_the_limit(venue, direction):
    rail, pools = venue({500: DEEP}, max_impact_bps=100)
    lane = rail.lanes()[direction]
    little = 10**15 if direction else 10**6
    most = (await rail.quote(lane, Amount(lane.source, little))).most

    # Worth of the last unit at that size, against the first: 1% less. Both from the pool, not from the rail.
    def worth(units: int) -> Fraction:
        step = units // 1000 or little
        gained = pools._swap_in(lane.source.id.reference, units + step, 500, 0) - pools._swap_in(lane.source.id.reference, units, 500, 0)
        return Fraction(gained, step)

    kept = worth(most) / worth(0)
    assert Fraction(9890, 10_000) < kept < Fraction(9905, 10_000)
    with pytest.raises(OutsideTerms, match="more than 100 bps"):
        await rail.quote(lane, Amount(lane.source, most + most // 100))


@pytest.mark.parametrize(("liquidity", "units"), [({}, 10**6), ({500: DEEP}, 0), ({500: 1}, 10**6)])
async def test_quote__nothing_to_have__is_outside_terms(venue, liquidity, units):
    rail, _ = venue(liquidity)
    with pytest.raises(OutsideTerms):
        await rail.quote(rail.lanes()[0], Amount(USDC, units))


def test_limit_price__either_direction__worsens_the_seller_by_the_same_share():
    falling, rising = limit_price(PRICE, 100, falling=True), limit_price(PRICE, 100, falling=False)
    assert abs(Fraction(falling, PRICE) ** 2 - Fraction(99, 100)) < Fraction(1, 10**9)
    assert abs(Fraction(PRICE, rising) ** 2 - Fraction(99, 100)) < Fraction(1, 10**9)


# ---- depart ----


async def test_depart__leg__approves_exactly_and_swaps_with_floor_and_deadline(venue):
    rail, _ = venue({500: DEEP})
    leg = leg_over(rail.lanes()[0], 10**9, 10**17)
    approval, swap = await rail.depart(leg)
    assert decode(["address", "uint256"], approval.data[4:]) == (ROUTER, 10**9)
    assert (swap.target, swap.data[:4]) == (ROUTER, _selector("multicall(uint256,bytes[])"))
    deadline, (step,) = decode(["uint256", "bytes[]"], swap.data[4:])
    assert deadline == leg.deadline
    assert step[:4] == _selector("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))")
    (asked,) = decode(["(address,address,uint24,address,uint256,uint256,uint160)"], step[4:])
    assert asked == (USDC.id.reference, WETH.id.reference, 500, OURS, 10**9, 10**17, 0)


@pytest.mark.parametrize(("units", "least"), [(10**9, 10**18), (0, 10**17), (10**9, 0)])
async def test_depart__floor_out_of_reach_or_missing__is_outside_terms(venue, units, least):
    rail, _ = venue({500: DEEP})
    with pytest.raises(OutsideTerms):
        await rail.depart(leg_over(rail.lanes()[0], units, least))


async def test_depart__pool_gone__is_outside_terms(venue):
    rail, pools = venue({500: DEEP})
    pools.liquidity.clear()
    with pytest.raises(OutsideTerms, match="brings nothing"):
        await rail.depart(leg_over(rail.lanes()[0], 10**9, 1))


@pytest.mark.parametrize("tier", ["", "123"])
async def test_depart__tier_that_is_not_configured__is_misconfigured(venue, tier):
    rail, _ = venue({500: DEEP})
    with pytest.raises(Misconfigured, match="fee tier"):
        await rail.depart(leg_over(rail.lanes()[0], 10**9, 1, tier))


# ---- arrival and undo ----


def receipt_of(*moved: Movement) -> Receipt:
    return Receipt(ALPHA, "0x" + "cc" * 32, AccountId(ALPHA, OURS), Height(1, "0x", 1), True, True, 1, moved)


@pytest.mark.parametrize("units", [10**17, 10**17 - 1, 5])
async def test_arrival__what_moved__is_what_was_delivered(venue, units):
    rail, _ = venue({500: DEEP})
    leg = leg_over(rail.lanes()[0], 10**9, 10**17)
    receipt = receipt_of(Movement(leg.sender, USDC.id, -(10**9)), Movement(leg.recipient, WETH.id, units))
    assert await rail.arrival(leg, receipt) == Delivered(Amount(WETH, units), receipt, receipt.reference)


async def test_arrival__nothing_moved_to_us__is_misconfigured(venue):
    rail, _ = venue({500: DEEP})
    with pytest.raises(Misconfigured, match="moved no WETH"):
        await rail.arrival(leg_over(rail.lanes()[0], 10**9, 10**17), receipt_of())


async def test_undo__allowance_left__is_taken_back(venue):
    rail, pools = venue({500: DEEP})
    leg = leg_over(rail.lanes()[0], 10**9, 1)
    assert await rail.undo(leg) == ()
    pools.allowance = 1
    (call,) = await rail.undo(leg)
    assert decode(["address", "uint256"], call.data[4:]) == (ROUTER, 0)
