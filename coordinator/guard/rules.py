"""The rules no plan may break, whoever made it: recipients, what is allowed, caps, own prices, gas.

Values are refused, not trusted: worth is measured at own oracle prices, never at a quote's. What cannot be valued is
refused. A figure exactly at its limit is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from chains.ids import ChainId
from chains.tokens import Amount, Token
from coordinator.config.quantities import show_rate, show_usd
from coordinator.config.treasury import Treasury
from coordinator.guard.case import Case, cost, least_free, total, touched
from coordinator.plan import Plan
from coordinator.prices.age import too_old
from coordinator.prices.combine import depegged
from policies.base import Portfolio
from policies.words import show_duration

_LEG_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Objection:
    """One broken rule. `found` and `limit` are for people, with units; `how_to_mend` says what would make it pass."""

    rule: str
    subject: str
    found: str
    limit: str
    how_to_mend: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.found}; allowed: {self.limit}; {self.how_to_mend}"


Rule = Callable[[Case], Iterator[Objection]]


def objections(plan: Plan, portfolio: Portfolio, treasury: Treasury, spent_today: Fraction) -> tuple[Objection, ...]:
    """Every rule that `plan` breaks, plan-wide rules first; empty means it may run. Pure.

    `portfolio`: balances and own prices as they are now (`portfolio.time` is now), not as the plan saw them. `spent_today`: USD
    value of everything legs gave in the last 24 hours, in flight included.
    """
    case = Case(plan, portfolio, treasury, spent_today)
    return tuple(objection for rule in RULES for objection in rule(case))


def _config(case: Case) -> Iterator[Objection]:
    if case.plan.treasury != case.treasury.name:
        yield Objection("config", "plan", f"made for {case.plan.treasury}", case.treasury.name, "use the treasury's own plan")
    if case.plan.config != case.treasury.config_hash:
        found, limit = f"made under configuration {case.plan.config[:12]}", f"the present one, {case.treasury.config_hash[:12]}"
        yield Objection("config", "plan", found, limit, "plan again")


def _deadline(case: Case) -> Iterator[Objection]:
    if case.now > case.plan.expires:
        yield Objection("deadline", "plan", f"expired {show_duration(case.now - case.plan.expires)} ago", "a plan in force", "plan again")
    latest = case.plan.created + case.treasury.plan.start_within
    for subject, planned in case.legs():
        deadline = planned.leg.deadline
        if deadline <= case.now:
            yield Objection("deadline", subject, f"passed {show_duration(case.now - deadline)} ago", "a moment to come", "plan again")
        elif deadline > latest:
            found = f"{show_duration(deadline - case.plan.created)} after the plan was made"
            limit = show_duration(case.treasury.plan.start_within)
            yield Objection("deadline", subject, found, limit, "plan again, or raise plan.start_within")


def _prices(case: Case) -> Iterator[Objection]:
    prices = case.portfolio.prices
    for asset in touched(case.plan):
        rule, price = case.treasury.assets.get(asset), prices.by_asset.get(asset)
        if rule is None:
            yield Objection("price", asset, "is no asset of this treasury", "configured assets", "add it to assets, or plan without it")
        elif price is None:
            reason = prices.refused.get(asset, "not observed")
            yield Objection(
                "price", asset, f"has no price: {reason}", "a price that sources agree on", "wait for its sources, then plan again"
            )
        elif stale := too_old(price.time, case.now, rule.max_age):
            yield Objection("price", asset, f"price {stale}", show_duration(rule.max_age), "look again, then plan again")
        elif rule.peg is not None and (off := depegged(price.value, rule.peg)):
            yield Objection("depeg", asset, off, f"{show_rate(rule.peg.tolerance)} off its peg", "a person decides; see assets.peg")


def _identity(case: Case) -> Iterator[Objection]:
    seen: set[str] = set()
    for subject, planned in case.legs():
        leg, quote = planned.leg, planned.quote
        if leg.id in seen or not _LEG_ID.fullmatch(leg.id):
            yield Objection("leg", subject, f'id "{leg.id}" is malformed or used twice', "32 hex digits, once", "plan again")
        seen.add(leg.id)
        fits = leg.gives.token == leg.lane.source and leg.least.token == leg.lane.target
        if not fits or quote.lane != leg.lane or quote.gives != leg.gives or quote.takes.token != leg.lane.target:
            yield Objection("leg", subject, "leg, lane and quote do not belong together", "one lane, one amount", "plan again")
        if min(leg.gives.units, leg.least.units, quote.takes.units) <= 0 or any(fee.units < 0 for fee in quote.fees):
            yield Objection("leg", subject, f"gives {leg.gives} for at least {leg.least}", "amounts above zero", "plan again")


def _accounts(case: Case) -> Iterator[Objection]:
    """Value goes from our account to our account. Recipients come from the configuration, never from history or a quote."""
    for subject, planned in case.legs():
        leg = planned.leg
        for rule, found, chain in (("recipient", leg.recipient, leg.lane.target.chain), ("sender", leg.sender, leg.lane.source.chain)):
            ours = case.treasury.accounts.get(chain)
            if found != ours:
                limit = str(ours) if ours is not None else f"nothing: there is no account on {chain}"
                yield Objection(rule, subject, str(found), limit, "do not apply this plan; find out who changed it")


def _allowed(case: Case) -> Iterator[Objection]:
    for subject, planned in case.legs():
        lane = planned.leg.lane
        if lane.rail not in case.treasury.rails:
            yield Objection(
                "rail", subject, f'"{lane.rail}" is not configured', ", ".join(case.treasury.rails), "add it to rails, or plan again"
            )
        for chain in dict.fromkeys((lane.source.chain, lane.target.chain)):
            if chain not in case.treasury.chains:
                known = ", ".join(str(known) for known in case.treasury.chains)
                yield Objection("chain", subject, f"{chain} is not configured", known, "add it to chains, or plan again")
        for token in (lane.source, lane.target, *(fee.token for fee in planned.quote.fees)):
            yield from _token(case, subject, token)


def _token(case: Case, subject: str, token: Token) -> Iterator[Objection]:
    ours = case.treasury.tokens.get(token.id)
    if ours is None:
        yield Objection("token", subject, f"{token.id} is not configured", "the treasury's tokens", "add it to tokens, or plan again")
    elif ours != token:
        found, limit = f"{token.id} as {token.asset} with {token.decimals} decimals", f"{ours.asset} with {ours.decimals} decimals"
        yield Objection("token", subject, found, limit, "plan again under the present configuration")


def _caps(case: Case) -> Iterator[Objection]:
    limits = case.treasury.limits
    values = [case.worth(planned.leg.gives) for planned in case.plan.legs]
    for (subject, _), value in zip(case.legs(), values):
        if value is not None and value > limits.per_leg:
            yield Objection("per_leg", subject, show_usd(value), show_usd(limits.per_leg), "split it, or raise limits.per_leg")
    turn = total(values)
    if turn is None or not case.plan.legs:
        return  # the missing price is an objection already
    if turn > limits.per_turn:
        yield Objection("per_turn", "plan", show_usd(turn), show_usd(limits.per_turn), "move less at once, or raise limits.per_turn")
    if case.spent_today + turn > limits.per_day:
        found = f"{show_usd(case.spent_today)} today and {show_usd(turn)} now"
        yield Objection("per_day", "plan", found, show_usd(limits.per_day), "wait, move less, or raise limits.per_day")


def _cost(case: Case) -> Iterator[Objection]:
    own = cost(case, (planned.quote for planned in case.plan.legs))
    highest = max(case.plan.cost.total, own if own is not None else case.plan.cost.total)
    if highest > case.treasury.limits.cost:
        mend = "wait for lower fees, or raise limits.cost"
        yield Objection("cost", "plan", show_usd(highest), show_usd(case.treasury.limits.cost), mend)


def _least(case: Case) -> Iterator[Objection]:
    """The least that may arrive is worth the gift at own prices, less the slippage. A quote has no say in it."""
    slippage = case.treasury.limits.slippage
    for subject, planned in case.legs():
        gives, least = case.worth(planned.leg.gives), case.worth(planned.leg.least)
        if gives is not None and least is not None and least < gives * (1 - slippage):
            found = f"at least {planned.leg.least} ({show_usd(least)}) for {planned.leg.gives} ({show_usd(gives)})"
            limit = f"{show_usd(gives * (1 - slippage))} or more (slippage {show_rate(slippage)})"
            yield Objection("min_out", subject, found, limit, "wait for a better price, or raise limits.slippage")


def _funds(case: Case) -> Iterator[Objection]:
    """Every leg can be paid when its turn comes, and no chain's native coin falls below its gas floor."""
    natives = {case.treasury.native(chain).id: chain for chain in case.treasury.chains}
    for token_id, lowest in least_free(case).items():
        token = case.treasury.tokens.get(token_id)
        if token is None:
            continue  # an objection already
        chain = natives.get(token_id)
        floor = case.treasury.gas_floor(chain) if chain is not None else 0
        name = case.name(token_id)
        if lowest < 0:
            short = Amount(token, -lowest)
            yield Objection("balance", name, f"{short} short while the plan runs", "what is held and free", "plan again")
        elif lowest < floor:
            found = f"falls to {Amount(token, lowest)} with the plan's own fees"
            yield Objection(
                "gas_floor", name, found, f"{Amount(token, floor)} or more", f"top up {name}, or lower {_floor_of(case, chain)}"
            )


def _floor_of(case: Case, chain: ChainId | None) -> str:
    return f"chains.{case.treasury.chains[chain].name}.gas_floor" if chain is not None else "the gas floor"


RULES: tuple[Rule, ...] = (_config, _deadline, _prices, _identity, _accounts, _allowed, _caps, _cost, _least, _funds)
