"""Offers: what a lane takes is found out even where the whole treasury would not fit through it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from bridges.base import Lane, Quote
from chains.errors import OutsideTerms
from chains.ids import ChainId, TokenId
from chains.tokens import Amount, Token
from coordinator.clock import SystemClock
from coordinator.offers import NEAR_LIMIT, gather
from policies.base import Portfolio, Position, Price, Prices

CHAINS = [ChainId.parse(f"eip155:3133700{n}") for n in (1, 2)]
SOURCE, TARGET = (Token(TokenId(chain, "erc20", "0x" + "1" * 40), "USDC", 6) for chain in CHAINS)
LANE = Lane("narrow/1/2", "narrow", SOURCE, TARGET)
PORTFOLIO = Portfolio((Position(SOURCE, 10**12),), Prices({"USDC": Price("USDC", Fraction(1), 0, ("test",))}), 0)


class Narrow:
    """A rail with one lane that takes only so much, and says so as every rail does."""

    name = "narrow"

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most
        self.asked: list[int] = []

    def lanes(self) -> list[Lane]:
        return [LANE]

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        self.asked.append(gives.units)
        if not self.least <= gives.units <= self.most:
            raise OutsideTerms(f"takes {self.least} to {self.most}")
        return Quote(lane, gives, Amount(TARGET, gives.units), (), self.least, self.most, 1)


@pytest.mark.parametrize("most", [10**13, 10**12, 10**11, 10**9, 10**8])
async def test_gather__lane_narrower_than_the_treasury__is_offered_up_to_its_limit(most):
    offers, closed = await gather([Narrow(1, most)], PORTFOLIO, Fraction(1, 100), SystemClock())
    assert closed == []
    assert offers[0].quotes[-1].gives.units == min(most * NEAR_LIMIT // 100, 10**12)


async def test_gather__lane_that_takes_nothing_we_could_give__is_closed_with_its_reason():
    offers, closed = await gather([Narrow(10**13, 10**14)], PORTFOLIO, Fraction(1, 100), SystemClock())
    assert offers == []
    assert closed[0].why == f"takes {10**13} to {10**14}"


async def test_gather__probe_that_was_taken__is_not_asked_for_again():
    rail = Narrow(1, 10**13)
    offers, _ = await gather([rail], PORTFOLIO, Fraction(1, 100), SystemClock())
    assert sorted(rail.asked) == [quote.gives.units for quote in offers[0].quotes] == [10**12 // 4, 10**12]


class Telling(Narrow):
    """Names what it would take when it refuses."""

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        if gives.units > self.most:
            self.asked.append(gives.units)
            raise OutsideTerms(f"takes {self.most}", self.most)
        return await super().quote(lane, gives)


async def test_gather__lane_that_names_its_limit__is_asked_just_below_it_at_once():
    rail = Telling(1, 10**9)
    offers, _ = await gather([rail], PORTFOLIO, Fraction(1, 100), SystemClock())
    top = 10**9 * NEAR_LIMIT // 100
    assert rail.asked == [10**12, top, top // 4]
    assert [quote.gives.units for quote in offers[0].quotes] == [top // 4, top]


class Together(Narrow):
    """Prices several amounts at one look."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, most)
        self.looks: list[list[int]] = []

    async def quotes(self, lane: Lane, gives: Sequence[Amount]) -> Sequence[Quote]:
        self.looks.append([amount.units for amount in gives])
        return [await self.quote(lane, amount) for amount in gives]


async def test_gather__rail_that_prices_several_at_one_look__is_asked_so():
    rail = Together(1, 10**13)
    offers, _ = await gather([rail], PORTFOLIO, Fraction(1, 100), SystemClock())
    assert rail.looks == [[10**12 // 4]]
    assert len(offers[0].quotes) == 2
