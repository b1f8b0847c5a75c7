"""Drafting: from a portfolio, its targets and the lanes' offers to a plan with real quotes.

What a leg delivers may be a little less than quoted, so the plan aims a little inside every band where that costs neither
a band nor a hop. What is proven is proven for the bands as the owner wrote them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from bridges.base import Leg, Quote, Rail
from chains.base import Height
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount
from coordinator.clock import Clock
from coordinator.codec import digest, to_data
from coordinator.offers import Closed, Offer, fees
from coordinator.plan import Cost, Plan, PlannedLeg, Unmet
from coordinator.planner import instance as planner
from coordinator.planner.answer import Answer
from coordinator.planner.replay import replay
from coordinator.planner.solve import solve
from coordinator.saga.retry import reading
from policies.base import Band, Portfolio, Prices, Targets, UnitBand


@dataclass(frozen=True, slots=True)
class Terms:
    """What bounds a draft. Slippage and margin are shares (1/100 is one percent). Seconds from now: `ttl` until the plan expires,
    `start_within` until a leg may no longer start. `continues`: the saga that this draft takes up from, if any."""

    treasury: str
    config: str
    accounts: Mapping[ChainId, AccountId]
    slippage: Fraction
    ttl: int
    start_within: int
    turnover: Fraction | None = None
    cost: Fraction | None = None
    margin: Fraction = Fraction(1, 1000)
    continues: str = ""


def instance(portfolio: Portfolio, targets: Targets, lanes: Sequence[planner.Lane], terms: Terms) -> planner.Instance:
    """The planning problem, exactly as coordinator/planner/README.md defines it."""
    tokens = tuple(
        planner.Token(str(p.token.id), p.token.asset, str(p.token.chain), p.token.decimals, portfolio.prices.by_asset[p.token.asset].value)
        for p in portfolio.positions
    )
    return planner.Instance(
        numeraire="USD",
        tokens=tokens,
        holdings={str(p.token.id): p.held - p.leaving for p in portfolio.positions},
        arriving={str(p.token.id): p.arriving for p in portfolio.positions if p.arriving},
        bands=_bands(tokens, portfolio.nav, targets, terms.margin),
        lanes=tuple(lanes),
        limits=planner.Limits(turnover=terms.turnover, cost=terms.cost),
    )


def _bands(tokens: Sequence[planner.Token], nav: Fraction, targets: Targets, margin: Fraction) -> tuple[planner.Band, ...]:
    made = [
        _band("assets", asset, [t.id for t in tokens if t.asset == asset], nav, _inside(band, margin))
        for asset, band in targets.assets.items()
    ]
    made += [
        _band("chains", str(chain), [t.id for t in tokens if t.chain == str(chain)], nav, _inside(band, margin))
        for chain, band in targets.chains.items()
    ]
    by_id = {token.id: token for token in tokens}
    made += [_unit_band(by_id[str(name)], band) for name, band in targets.tokens.items() if str(name) in by_id]
    return tuple(made)


def _inside(band: Band, margin: Fraction) -> Band:
    """The band drawn in by the margin on each side, at most by a quarter of its width."""
    width = (band.high if band.high is not None else Fraction(1)) - (band.low if band.low is not None else Fraction(0))
    step = min(margin, width / 4)
    low = band.low + step if band.low else band.low
    high = band.high - step if band.high is not None and band.high < 1 else band.high
    return Band(low, None, high)


def _band(group: planner.Group, name: str, tokens: Sequence[str], nav: Fraction, band: Band) -> planner.Band:
    low = None if band.low is None else band.low * nav
    high = None if band.high is None else band.high * nav
    return planner.Band(group, name, tuple(tokens), low, high)


def _unit_band(token: planner.Token, band: UnitBand) -> planner.Band:
    low = None if band.low is None else band.low * token.unit
    high = None if band.high is None else band.high * token.unit
    return planner.Band("tokens", token.id, (token.id,), low, high)


async def draft(
    portfolio: Portfolio,
    targets: Targets,
    heights: Mapping[ChainId, Height],
    market: tuple[Sequence[Offer], Sequence[Closed]],
    *,
    rails: Mapping[str, Rail],
    terms: Terms,
    clock: Clock,
    deadline: float | None = 30.0,
) -> Plan:
    """Solve, then quote every leg again at its own amount. `deadline`: seconds the solver may take."""
    offers, closed = market
    lanes = [offer.for_planner(portfolio.prices) for offer in offers]
    proof, answer = _solved(portfolio, targets, lanes, terms, deadline)
    now = clock.now()
    seed = digest([terms.config, now, to_data(heights, Mapping[ChainId, Height]), to_data(targets)])
    by_lane = {offer.lane.id: offer for offer in offers}
    legs = []
    for number, leg in enumerate(answer.legs):
        lane = by_lane[leg.lane].lane
        gives = Amount(lane.source, leg.gives)
        quote = await reading(lambda lane=lane, gives=gives: rails[lane.rail].quote(lane, gives), clock)  # type: ignore[misc]  # bound
        legs.append(_planned(quote, leg.after, digest([seed, number])[:32], prices=portfolio.prices, terms=terms, now=now))
    plan = Plan(
        id="",
        treasury=terms.treasury,
        config=terms.config,
        created=now,
        expires=now + terms.ttl,
        heights=dict(heights),
        before=portfolio,
        targets=targets,
        legs=tuple(legs),
        status=answer.status,
        violation=proof.violation,
        hops_bound=proof.hops_bound,
        cost=_cost(legs, portfolio.prices),
        unmet=_unmet(proof, closed),
        continues=terms.continues,
    )
    return replace(plan, id=plan_id(plan))


def plan_id(plan: Plan) -> str:
    """SHA-256 of everything the plan says."""
    return digest(to_data(replace(plan, id="")))


def _planned(quote: Quote, after: tuple[int, ...], name: str, *, prices: Prices, terms: Terms, now: int) -> PlannedLeg:
    lane = quote.lane
    leg = Leg(
        id=name,
        lane=lane,
        gives=quote.gives,
        least=least(quote, prices, terms.slippage),
        sender=terms.accounts[lane.source.chain],
        recipient=terms.accounts[lane.target.chain],
        deadline=now + terms.start_within,
        terms=quote.terms,
    )
    verb = "moves" if lane.kind == "bridge" else "turns"
    why = f"{verb} {quote.gives} on {lane.source.chain} into {quote.takes} on {lane.target.chain}"
    return PlannedLeg(leg, quote, after, why)


def least(quote: Quote, prices: Prices, slippage: Fraction) -> Amount:
    """The least that may arrive: what our own oracle prices say the gift is worth less the allowed slippage, and as near to the quote."""
    target = quote.lane.target
    worth = prices.value(quote.gives) * (1 - slippage)
    floor = ceil(worth / (prices.by_asset[target.asset].value * target.unit))
    return Amount(target, max(floor, ceil(quote.takes.units * (1 - slippage))))


def _cost(legs: Sequence[PlannedLeg], prices: Prices) -> Cost:
    network = sum((fees(planned.quote, prices) for planned in legs), Fraction(0))
    lost = [(p.is_hop, prices.value(p.quote.gives) - prices.value(p.quote.takes)) for p in legs]
    return Cost(
        network=network,
        bridge=sum((value for hop, value in lost if hop), Fraction(0)),
        slippage=sum((value for hop, value in lost if not hop), Fraction(0)),
    )


def after(plan: Plan) -> Portfolio:
    """The portfolio as the plan's quotes say it will be; network fees are taken from the native coin."""
    change: dict[TokenId, int] = {}
    for planned in plan.legs:
        _add(change, -planned.quote.gives.units, planned.quote.gives)
        _add(change, planned.quote.takes.units, planned.quote.takes)
        for fee in planned.quote.fees:
            _add(change, -fee.units, fee)
    positions = tuple(replace(p, held=p.held + change.get(p.token.id, 0)) for p in plan.before.positions)
    return replace(plan.before, positions=positions)


def _add(change: dict[TokenId, int], units: int, amount: Amount) -> None:
    change[amount.token.id] = change.get(amount.token.id, 0) + units


def _solved(
    portfolio: Portfolio, targets: Targets, lanes: Sequence[planner.Lane], terms: Terms, deadline: float | None
) -> tuple[Answer, Answer]:
    """The answer for the bands as the owner wrote them, which holds the proof, and the one to carry out.

    The latter aims inside the bands where that costs neither a band nor a hop; else it is the former. Nothing is done when
    nothing is out (a quote above our own price is no reason to trade: one of the two is wrong), nor when what can be mended is
    worth no more than mending costs: a chain a few dollars above its cap could else be brought below it by losing them.
    """
    exact = instance(portfolio, targets, lanes, replace(terms, margin=Fraction(0)))
    still = solve(replace(exact, lanes=()), deadline)
    if not still.violation:
        return still, still
    proof = solve(exact, deadline)
    if proof.legs and still.violation - proof.violation <= max(proof.cost, Fraction(0)):
        left = _left(still, proof)
        return left, left
    for margin in (terms.margin, terms.margin / 10) if proof.legs else ():
        inside = solve(instance(portfolio, targets, lanes, replace(terms, margin=margin)), deadline)
        reached = replay(exact, {leg.lane: leg.gives for leg in inside.legs})
        if reached.violation <= proof.violation and inside.hops <= proof.hops:
            return proof, inside
    return proof, proof


def _left(still: Answer, proof: Answer) -> Answer:
    """No leg: each demand that `proof` could have met says that this would have cost more than it is short by."""
    hopeless = {one.target: one.why for one in proof.unmet}
    unmet = tuple(replace(one, why=hopeless.get(one.target, "mending it costs more than it is short by")) for one in still.unmet)
    return replace(still, status="partial", unmet=unmet)


def _unmet(answer: Answer, closed: Sequence[Closed]) -> tuple[Unmet, ...]:
    shut = f" ({len(closed)} lanes offer nothing now)" if closed else ""
    return tuple(Unmet(one.target, one.short, one.why + shut) for one in answer.unmet)
