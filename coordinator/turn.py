"""One turn: see what is, put it in the books, and say what should be done. Daemon, cron, one-shot and recovery are this same path."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from bridges.base import Quote
from chains.base import Height, Snapshot
from chains.errors import Fault
from chains.ids import ChainId, TokenId
from chains.tokens import Token
from coordinator.app import App
from coordinator.drafting import Terms, draft
from coordinator.guard import Moved, Objection, objections, still_holds
from coordinator.ledger.reconcile import Line, compare, explain
from coordinator.offers import Closed, Offer, gather
from coordinator.plan import Plan
from coordinator.portfolio import chains_under_way, portfolio, under_way
from coordinator.prices import observe as observe_prices
from coordinator.saga.machine import Opened, SagaState
from coordinator.saga.retry import reading
from policies.base import Decision, Portfolio, Targets


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look showed: balances with their heights, the books against them, prices, and what the policy makes of it."""

    heights: Mapping[ChainId, Height]
    lines: tuple[Line, ...]
    portfolio: Portfolio
    targets: Targets
    decision: Decision
    open_sagas: tuple[SagaState, ...]


async def look(app: App) -> Seen:
    """Snapshot every chain at a finalized height, reconcile the ledger with it, price it, and ask the triggers.

    Raises Unknowable when a balance cannot be read: a portfolio with holes is not a portfolio.
    """
    snapshots = await asyncio.gather(*(_snapshot(app, chain) for chain in app.chains))
    sagas = open_sagas(app)
    lines = await _reconcile(app, snapshots, sagas)
    now = app.clock.now()
    prices = await observe_prices(app.treasury.assets, app.chains, app.http, now)
    seen = portfolio(snapshots, app.treasury.tokens, sagas, prices, now)
    targets = app.treasury.policy.targets(seen)
    decision = app.treasury.trigger.decide(seen, targets, app.journal.last_begun())
    return Seen({s.chain: s.height for s in snapshots}, lines, seen, targets, decision, sagas)


def open_sagas(app: App) -> tuple[SagaState, ...]:
    return tuple(saga for name in app.journal.sagas() if not (saga := app.journal.saga(name)).ended)


def tokens_on(app: App, chain: ChainId) -> list[Token]:
    return [token for name, token in sorted(app.treasury.tokens.items()) if name.chain == chain]


async def _snapshot(app: App, chain: ChainId) -> Snapshot:
    account = app.treasury.accounts[chain]
    return await reading(lambda: app.chains[chain].snapshot([account], tokens_on(app, chain)), app.clock)


async def _reconcile(app: App, snapshots: list[Snapshot], sagas: tuple[SagaState, ...]) -> tuple[Line, ...]:
    """Compare; book what is new and not ours; return the comparison after that."""
    busy = under_way(sagas) | _natives(app, chains_under_way(sagas))
    book, ours = app.journal.book(), app.journal.references()
    for snapshot in snapshots:
        for line in compare(snapshot, book, busy):
            app.journal.post(await explain(line, book, app.chains[snapshot.chain], ours))
    book = app.journal.book()
    return tuple(line for snapshot in snapshots for line in compare(snapshot, book, busy))


def _natives(app: App, chains: frozenset[ChainId]) -> frozenset[TokenId]:
    return frozenset(app.treasury.native(chain).id for chain in chains)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan and the market it was drawn from. `plan.legs` may be empty: then nothing needs doing, or nothing can be done."""

    plan: Plan
    offers: tuple[Offer, ...]
    closed: tuple[Closed, ...]


async def propose(app: App, seen: Seen, deadline: float | None = 30.0) -> Proposal:
    """Ask every lane, solve, quote again. `deadline`: seconds for the solver."""
    offers, closed = await gather(list(app.rails.values()), seen.portfolio, app.treasury.limits.slippage, app.clock)
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
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands against a plan now: inputs that left its envelope, and rules that it breaks. Both empty: it may run."""

    moved: tuple[Moved, ...]
    objections: tuple[Objection, ...]


async def judge(app: App, plan: Plan, seen: Seen) -> Verdict:
    """Quote every leg again and hold the plan against its envelope and the owner's rules."""
    quotes = dict(await asyncio.gather(*(_quote(app, planned.quote, planned.leg.id) for planned in plan.legs)))
    known = {leg: quote for leg, quote in quotes.items() if quote is not None}
    moved = still_holds(plan, seen.portfolio, known, app.treasury)
    return Verdict(moved, objections(plan, seen.portfolio, app.treasury, spent_today(app, seen.portfolio)))


async def _quote(app: App, quote: Quote, leg: str) -> tuple[str, Quote | None]:
    """None when the lane offers nothing now; the envelope then says so for this leg."""
    try:
        return leg, await reading(lambda: app.rails[quote.lane.rail].quote(quote.lane, quote.gives), app.clock)
    except Fault:
        return leg, None


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
