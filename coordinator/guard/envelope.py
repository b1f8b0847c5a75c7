"""Whether the world still is what a plan was made for: which inputs moved, and how far they might have.

A plan is approved as an envelope, not as a quote: quotes are asked again, and count as long as they stay inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from bridges.base import Quote
from chains.ids import TokenId
from chains.tokens import Amount
from coordinator.config.quantities import show_decimal, show_rate, show_usd
from coordinator.config.treasury import Treasury
from coordinator.guard.case import Case, cost, touched
from coordinator.plan import Plan
from policies.base import Portfolio, Position
from policies.words import show_duration


@dataclass(frozen=True, slots=True)
class Moved:
    """One input that left the envelope. `input`: configuration, time, price, balance, quote or cost; the rest is for people, with units."""

    input: str
    subject: str
    before: str
    now: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.input} {self.subject}: was {self.before}, is {self.now}; allowed: {self.allowed}"


def still_holds(plan: Plan, portfolio: Portfolio, quotes: Mapping[str, Quote | str], treasury: Treasury) -> tuple[Moved, ...]:
    """Every input of `plan` that moved beyond its envelope; empty means it may be applied. Pure.

    `portfolio`: as it is now. `quotes`: asked again now, by leg id, or why there is none; a leg without one counts as moved.
    Exactly as far as the envelope allows is inside.
    """
    case = Case(plan, portfolio, treasury, Fraction(0))
    return (*_terms(case), *_prices(case), *_balances(case), *_quotes(case, quotes), *_cost(case, quotes))


def _terms(case: Case) -> Iterator[Moved]:
    if case.plan.config != case.treasury.config_hash:
        now = case.treasury.config_hash[:12]
        yield Moved("configuration", case.treasury.file.name, case.plan.config[:12], now, "the configuration the plan was made under")
    if case.now > case.plan.expires:
        ttl = show_duration(case.plan.expires - case.plan.created)
        yield Moved("time", "plan", "in force", f"expired {show_duration(case.now - case.plan.expires)} ago", f"{ttl} after it was made")


def _prices(case: Case) -> Iterator[Moved]:
    most = case.treasury.plan.envelope.price_move
    before, now = case.plan.before.prices, case.portfolio.prices
    for asset in touched(case.plan):
        old, new = before.by_asset.get(asset), now.by_asset.get(asset)
        allowed = f"{show_rate(most)} either way"
        shown = f"${show_decimal(old.value)}" if old else "unknown"
        if old is None or new is None:
            found = f"${show_decimal(new.value)}" if new else f"unknown ({now.refused.get(asset, 'not observed')})"
            yield Moved("price", asset, shown, found, allowed)
        elif abs(new.value / old.value - 1) > most:
            found = f"${show_decimal(new.value)} ({show_rate(abs(new.value / old.value - 1))})"
            yield Moved("price", asset, shown, found, allowed)


def _balances(case: Case) -> Iterator[Moved]:
    """Totals, so that value of other sagas that comes to rest meanwhile has not moved."""
    before, now = _positions(case.plan.before), _positions(case.portfolio)
    prices = case.plan.before.prices
    priced = [p for p in before.values() if p.token.asset in prices.by_asset]
    allowed = sum((case.plan.before.worth(p) for p in priced), Fraction(0)) * case.treasury.plan.envelope.balance_move
    for token_id in dict.fromkeys((*before, *now)):
        old, new = before.get(token_id), now.get(token_id)
        token = old.token if old is not None else now[token_id].token
        was, is_ = (Amount(token, p.total if p is not None else 0) for p in (old, new))
        change = Amount(token, abs(is_.units - was.units))
        if not change.units:
            continue
        if token.asset not in prices.by_asset or prices.value(change) > allowed:
            yield Moved("balance", case.name(token_id), str(was), str(is_), f"{show_usd(allowed)} either way")


def _positions(portfolio: Portfolio) -> Mapping[TokenId, Position]:
    return {position.token.id: position for position in portfolio.positions}


def _quotes(case: Case, quotes: Mapping[str, Quote | str]) -> Iterator[Moved]:
    for subject, planned in case.legs():
        leg, quote = planned.leg, quotes.get(planned.leg.id)
        before, allowed = str(planned.quote.takes), f"{leg.least} or more"
        if quote is None or isinstance(quote, str):
            yield Moved("quote", subject, before, f"no quote ({quote})" if quote else "no quote", allowed)
        elif quote.lane != leg.lane or quote.gives != leg.gives:
            yield Moved("quote", subject, before, "a quote for another lane or amount", f"{leg.gives} over {leg.lane.id}")
        elif quote.takes < leg.least:
            yield Moved("quote", subject, before, str(quote.takes), allowed)
        elif not quote.least <= leg.gives.units <= quote.most:
            room = f"takes {Amount(leg.lane.source, quote.least)} to {Amount(leg.lane.source, quote.most)}"
            yield Moved("quote", subject, before, room, f"room for {leg.gives}")


def _cost(case: Case, quotes: Mapping[str, Quote | str]) -> Iterator[Moved]:
    found = [quote for planned in case.plan.legs if isinstance(quote := quotes.get(planned.leg.id), Quote)]
    if len(found) < len(case.plan.legs):
        return  # moved already
    now = cost(case, found)
    most = case.treasury.plan.envelope.cost
    if now is not None and now > most:
        yield Moved("cost", "plan", show_usd(case.plan.cost.total), show_usd(now), show_usd(most))
