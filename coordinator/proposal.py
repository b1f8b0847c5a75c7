"""The second half of a turn: what should be done, and what stands against it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction

from bridges.base import Quote
from chains.errors import Fault
from chains.ids import TokenId
from coordinator.app import App
from coordinator.drafting import Terms, draft
from coordinator.guard import Moved, Objection, objections, still_holds
from coordinator.offers import Closed, Offer, gather
from coordinator.plan import Plan
from coordinator.saga.machine import Opened, State
from coordinator.saga.retry import reading
from coordinator.turn import Seen
from policies.base import Portfolio


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan and the market it was drawn from. `plan.legs` may be empty: then nothing needs doing, or nothing can be done."""

    plan: Plan
    offers: tuple[Offer, ...]
    closed: tuple[Closed, ...]


async def propose(app: App, seen: Seen, deadline: float | None = 30.0) -> Proposal:
    """Ask every lane, solve, quote again. `deadline`: seconds for the solver."""
    offers, closed = await gather(
        list(app.rails.values()), seen.portfolio, app.treasury.limits.slippage, app.clock, per_leg=app.treasury.limits.per_leg
    )
    plan = await draft(
        seen.portfolio, seen.targets, seen.heights, (offers, closed), rails=app.rails, terms=_terms(app), clock=app.clock, deadline=deadline
    )
    return Proposal(plan, tuple(offers), tuple(closed))


def _terms(app: App) -> Terms:
    treasury = app.treasury
    return Terms(
        treasury=treasury.name,
        config=treasury.config_hash,
        accounts=treasury.accounts,
        slippage=treasury.limits.slippage,
        ttl=treasury.plan.ttl,
        start_within=treasury.plan.start_within,
        turnover=treasury.limits.per_turn,
        cost=treasury.limits.cost,
        continues=unfinished(app),
    )


def unfinished(app: App) -> str:
    """The newest saga, if some of its legs did not happen: what is planned now takes up from where their value rests."""
    name = app.journal.sagas()[-1:]
    if not name:
        return ""
    saga = app.journal.saga(name[0])
    return saga.id if any(leg.state.ended and leg.state is not State.DELIVERED for leg in saga.legs.values()) else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands against a plan now: inputs that left its envelope, and rules that it breaks. Both empty: it may run."""

    moved: tuple[Moved, ...]
    objections: tuple[Objection, ...]


async def judge(app: App, plan: Plan, seen: Seen) -> Verdict:
    """Quote every leg again and hold the plan against its envelope and the owner's rules."""
    quotes = dict(await asyncio.gather(*(_quote(app, planned.quote, planned.leg.id) for planned in plan.legs)))
    moved = still_holds(plan, seen.portfolio, quotes, app.treasury)
    rules = objections(plan, seen.portfolio, app.treasury, spent_today(app, seen.portfolio))
    return Verdict(moved, (*rules, *await _stopped(app, plan, seen)))


async def _stopped(app: App, plan: Plan, seen: Seen) -> list[Objection]:
    """Tokens of the plan that their issuer has paused, or frozen in our account. Of a token that is not held yet nothing is known."""
    held = {position.token.id for position in seen.portfolio.positions if position.held}
    used = dict.fromkeys(token.id for planned in plan.legs for token in (planned.leg.lane.source, planned.leg.lane.target))
    asked = [token for token in used if token in held and token.chain in app.treasury.accounts]
    found = await asyncio.gather(*(_why_stopped(app, token) for token in asked))
    limit, mend = "a token that its issuer lets us move", "ask the issuer, and wait or plan without it"
    return [Objection("stopped", app.treasury.names[token], why, limit, mend) for token, why in zip(asked, found, strict=True) if why]


async def _why_stopped(app: App, token: TokenId) -> str:
    return await reading(lambda: app.chains[token.chain].stopped(app.treasury.accounts[token.chain], token), app.clock)


async def _quote(app: App, quote: Quote, leg: str) -> tuple[str, Quote | str]:
    """Why, when the lane offers nothing now; the envelope then says so for this leg."""
    try:
        return leg, await reading(lambda: app.rails[quote.lane.rail].quote(quote.lane, quote.gives), app.clock)
    except Fault as fault:
        return leg, str(fault)


DAY = 86_400


def spent_today(app: App, portfolio: Portfolio) -> Fraction:
    """What legs begun in the last 24 hours gave, at present own prices. An asset without a price cannot be spent, so none is missed."""
    since = app.clock.now() - DAY
    gifts = [
        fact.leg.gives
        for saga in app.journal.sagas()
        for _, fact, at in app.journal.story(saga)
        if isinstance(fact, Opened) and at >= since and fact.leg.gives.token.asset in portfolio.prices.by_asset
    ]
    return sum((portfolio.prices.value(gift) for gift in gifts), Fraction(0))
