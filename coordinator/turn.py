"""The first half of a turn: see what is, put it in the books, and ask whether to act. `proposal` is the second half."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chains.base import Height, Snapshot
from chains.ids import ChainId
from chains.tokens import Token
from coordinator.app import App
from coordinator.prices import observe as observe_prices
from coordinator.saga.retry import reading
from policies.base import Decision, Portfolio, Prices, Targets
from policies.decide import Record, decide, memory_of

if TYPE_CHECKING:
    from coordinator.ledger.reconcile import Line
    from coordinator.saga.machine import SagaState

HEAD_START = 0.01  # seconds for the first questions to leave before the journal's libraries are loaded


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look showed: balances with their heights, the books against them, prices, and what the policy makes of it."""

    heights: Mapping[ChainId, Height]
    lines: tuple[Line, ...]
    portfolio: Portfolio
    targets: Targets
    decision: Decision
    open_sagas: tuple[SagaState, ...]


async def look(app: App, *, record: bool = True) -> Seen:
    """Snapshot every chain at a finalized height, reconcile the ledger with it, price it, and ask the triggers.

    `record`: whether policies are to remember this look; one that only shows (the dashboard's) leaves their memory alone.
    Raises Unknowable when a balance cannot be read: a portfolio with holes is not a portfolio.
    """
    now = app.clock.now()
    snapshots, prices, _ = await asyncio.gather(_snapshots(app), _prices(app, now), _open_journal(app))
    from coordinator.books import bring_up_to_date
    from coordinator.portfolio import portfolio

    sagas = open_sagas(app)
    lines = await bring_up_to_date(app.journal, app.chains, snapshots, sagas)
    seen = portfolio(snapshots, app.treasury.tokens, sagas, prices, now)
    targets, decision = _decided(app, seen, record)
    return Seen({s.chain: s.height for s in snapshots}, lines, seen, targets, decision, sagas)


def _decided(app: App, seen: Portfolio, record: bool) -> tuple[Targets, Decision]:
    """The decision on what is seen and remembered; if `record`, kept, so that it can be explained and decided again."""
    from coordinator.decisions import Decisions

    policy, trigger, last_run = app.treasury.policy, app.treasury.trigger, app.journal.last_begun()
    decisions = Decisions(app.treasury.database)
    remembering = replace(seen, past=decisions.past(seen.time, memory_of(policy, trigger)))
    targets, decision = decide(policy, trigger, remembering, last_run)
    if record:
        decisions.append(Record(seen, last_run, targets, decision))
    return targets, decision


def open_sagas(app: App) -> tuple[SagaState, ...]:
    return tuple(saga for name in app.journal.sagas() if not (saga := app.journal.saga(name)).ended)


def tokens_on(app: App, chain: ChainId) -> list[Token]:
    return [token for name, token in sorted(app.treasury.tokens.items()) if name.chain == chain]


async def _snapshots(app: App) -> list[Snapshot]:
    return await asyncio.gather(*(_snapshot(app, chain) for chain in app.chains))


async def _snapshot(app: App, chain: ChainId) -> Snapshot:
    account = app.treasury.accounts[chain]
    return await reading(lambda: app.chains[chain].snapshot([account], tokens_on(app, chain)), app.clock)


async def _prices(app: App, now: int) -> Prices:
    return await observe_prices(app.treasury.assets, app.chains, app.http, now)


async def _open_journal(app: App) -> None:
    """While the networks answer: loading the database library takes as long as a look at them."""
    await asyncio.sleep(HEAD_START)
    await asyncio.to_thread(_load_books, app)


def _load_books(app: App) -> None:
    import coordinator.books  # noqa: F401 - needed next, loaded here

    app.journal  # noqa: B018 - opened here
