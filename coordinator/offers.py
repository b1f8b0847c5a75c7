"""What every lane offers now: quotes at a few sizes, made into the planner's marginal-rate schedule.

A lane's output is concave in its input, so chords between quoted sizes never promise more than the lane
gives; where rounding makes a chord steeper than the one before, the flatter of the two is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from bridges.base import Lane, Quote, Rail, Several
from chains.errors import Fault, OutsideTerms
from chains.tokens import Amount
from coordinator.clock import Clock
from coordinator.planner import instance as planner
from coordinator.saga.retry import reading
from policies.base import Portfolio, Prices

SWAP_SIZES = (Fraction(1, 16), Fraction(1, 8), Fraction(1, 4), Fraction(1, 2), Fraction(1))
BRIDGE_SIZES = (Fraction(1, 4), Fraction(1))
AT_ONCE = 12  # quotes asked for at the same time
HALVINGS = 4  # quotes spent on finding how far a lane stays within the allowed slippage
NEAR_LIMIT = 98  # percent of a lane's own limit that is offered: the limit itself moves between two quotes
PROBES = 8  # tries to find an amount that a lane takes: what it names when it refuses, else a quarter of the one before


@dataclass(frozen=True, slots=True)
class Offer:
    """A lane with its quotes, smallest first."""

    lane: Lane
    quotes: tuple[Quote, ...]

    def for_planner(self, prices: Prices) -> planner.Lane:
        """The lane in the planner's words; `fixed` is the dearest quote's fees in the numeraire."""
        best = self.quotes[-1]
        return planner.Lane(
            id=self.lane.id,
            rail=self.lane.rail,
            kind=self.lane.kind,
            source=str(self.lane.source.id),
            target=str(self.lane.target.id),
            min=max(quote.least for quote in self.quotes),
            max=min(best.most, best.gives.units),
            fixed=max(fees(quote, prices) for quote in self.quotes),
            schedule=_schedule(self.quotes, prices),
            latency_s=max(quote.latency_s for quote in self.quotes),
        )


@dataclass(frozen=True, slots=True)
class Closed:
    """A lane that offers nothing now, and why."""

    lane: Lane
    why: str


def fees(quote: Quote, prices: Prices) -> Fraction:
    """What is paid beside the flow, in the numeraire."""
    return sum((prices.value(fee) for fee in quote.fees), Fraction(0))


async def gather(
    rails: Sequence[Rail], portfolio: Portfolio, slippage: Fraction, clock: Clock, *, per_leg: Fraction | None = None
) -> tuple[list[Offer], list[Closed]]:
    """Ask every lane whose tokens have prices. A lane that answers with a fault is closed for this turn, never guessed.

    A lane is offered only as far as a leg over it keeps to the owner's limits: `slippage`, the most that it may lose against our
    own prices (a share), and `per_leg`, the most that it may give (numeraire).
    """
    gate = asyncio.Semaphore(AT_ONCE)
    worth = portfolio.nav if per_leg is None else min(portfolio.nav, per_leg)
    market = Market(portfolio.prices, slippage, clock)

    async def ask(rail: Rail, lane: Lane) -> Offer | Closed:
        unpriced = [token.asset for token in (lane.source, lane.target) if token.asset not in portfolio.prices.by_asset]
        if unpriced:
            return Closed(lane, f"{unpriced[0]} has no usable price: {portfolio.prices.refused.get(unpriced[0], 'never observed')}")
        try:
            async with gate:
                return await _offer(rail, lane, _units_worth(worth, lane, portfolio.prices), market)
        except Fault as fault:
            return Closed(lane, str(fault))

    answers = await asyncio.gather(*(ask(rail, lane) for rail in rails for lane in rail.lanes()))
    offers = sorted((a for a in answers if isinstance(a, Offer)), key=lambda offer: offer.lane.id)
    return offers, sorted((a for a in answers if isinstance(a, Closed)), key=lambda closed: closed.lane.id)


@dataclass(frozen=True, slots=True)
class Market:
    """What every quote of this turn is held against."""

    prices: Prices
    slippage: Fraction
    clock: Clock

    async def ask(self, rail: Rail, lane: Lane, units: int) -> Quote:
        return await reading(lambda: rail.quote(lane, Amount(lane.source, units)), self.clock)

    async def ask_all(self, rail: Rail, lane: Lane, sizes: Sequence[int]) -> Sequence[Quote]:
        if isinstance(rail, Several) and sizes:
            several = rail
            return await reading(lambda: several.quotes(lane, [Amount(lane.source, units) for units in sizes]), self.clock)
        return await asyncio.gather(*(self.ask(rail, lane, units) for units in sizes))

    def fair(self, quote: Quote) -> bool:
        """What arrives is worth no less than the allowed slippage below what is given, at our own prices."""
        return self.prices.value(quote.takes) >= self.prices.value(quote.gives) * (1 - self.slippage)


async def _offer(rail: Rail, lane: Lane, most: int, market: Market) -> Offer | Closed:
    if not most:
        return Closed(lane, "the treasury is worth nothing")
    probe = await _probe(rail, lane, most, market)
    top = min(most, probe.most * NEAR_LIMIT // 100)
    sizes = sorted({int(top * share) for share in (SWAP_SIZES if lane.kind == "swap" else BRIDGE_SIZES)} - {0})
    sizes = [size for size in sizes if probe.least <= size <= probe.most]
    if not sizes:
        return Closed(lane, f"takes {probe.least} to {probe.most} base units; the treasury can give at most {most}")
    asked = await market.ask_all(rail, lane, [size for size in sizes if size != probe.gives.units])
    quotes = sorted([*asked, *([probe] if probe.gives.units in sizes else [])], key=lambda quote: quote.gives.units)
    fair = [quote for quote in quotes if market.fair(quote)]
    if len(fair) < len(quotes):
        fair += await _last_fair(rail, lane, (fair[-1].gives.units if fair else probe.least, quotes[len(fair)].gives.units), market)
    return Offer(lane, tuple(fair)) if fair else Closed(lane, "every size loses more than the allowed slippage against our own prices")


async def _last_fair(rail: Rail, lane: Lane, between: tuple[int, int], market: Market) -> list[Quote]:
    """The largest fair quote found by halving between a fair size and one that is not; empty when there is none."""
    low, high = between
    found: list[Quote] = []
    for _ in range(HALVINGS):
        quote = await market.ask(rail, lane, (low + high) // 2)
        if market.fair(quote):
            low, found = quote.gives.units, [quote]
        else:
            high = quote.gives.units
    return found


async def _probe(rail: Rail, lane: Lane, most: int, market: Market) -> Quote:
    """A quote for `most`, or for what the lane says it takes instead, or for a quarter, a sixteenth, …: only a quote tells its limits.

    Raises OutsideTerms when even the smallest of them is not taken."""
    size = most
    for _ in range(PROBES - 1):
        try:
            return await market.ask(rail, lane, size)
        except OutsideTerms as refusal:
            told = (refusal.most or 0) * NEAR_LIMIT // 100
            size = told if 0 < told < size else max(size // 4, 1)
    return await market.ask(rail, lane, size)


def _units_worth(worth: Fraction, lane: Lane, prices: Prices) -> int:
    """Base units of the lane's source worth so much at most: the whole treasury, or what one leg may give."""
    return int(worth / (prices.by_asset[lane.source.asset].value * lane.source.unit))


def _schedule(quotes: Sequence[Quote], prices: Prices) -> tuple[planner.Segment, ...]:
    segments: list[planner.Segment] = []
    gave, took, rate = Fraction(0), Fraction(0), None
    for quote in quotes:
        gives, takes = prices.value(quote.gives), prices.value(quote.takes)
        chord = (takes - took) / (gives - gave)
        rate = chord if rate is None else min(rate, chord)
        segments.append(planner.Segment(quote.gives.units, max(rate, Fraction(0))))
        gave, took = gives, takes
    return tuple(segments)
