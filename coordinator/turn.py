"""The first half of a turn: see what is, put it in the books, and ask whether to act. `proposal` is the second half."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from chains.base import Height, Snapshot
from chains.ids import ChainId
from chains.tokens import Token
from coordinator.app import App
from coordinator.books import bring_up_to_date
from coordinator.ledger.reconcile import Line
from coordinator.portfolio import portfolio
from coordinator.prices import observe as observe_prices
from coordinator.saga.machine import SagaState
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
    lines = await bring_up_to_date(app.journal, app.chains, snapshots, sagas)
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
