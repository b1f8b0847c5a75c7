"""What the guard judges: a plan, the treasury's own view of the world now, and the owner's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from bridges.base import Quote
from chains.ids import TokenId
from chains.tokens import Amount, AssetId
from coordinator.config.treasury import Treasury
from coordinator.plan import Plan, PlannedLeg
from policies.base import Portfolio


@dataclass(frozen=True, slots=True)
class Case:
    """`portfolio`: balances and own prices now; its `time` is now. `spent_today`: USD that legs of this day gave already."""

    plan: Plan
    portfolio: Portfolio
    treasury: Treasury
    spent_today: Fraction

    @property
    def now(self) -> int:
        return self.portfolio.time

    def worth(self, amount: Amount) -> Fraction | None:
        """USD at own prices; None without a price, which is never zero."""
        return self.portfolio.prices.value(amount) if amount.token.asset in self.portfolio.prices.by_asset else None

    def name(self, token: TokenId) -> str:
        """How people call the token; its id when it is not ours."""
        return self.treasury.names.get(token, str(token))

    def subject(self, index: int, planned: PlannedLeg) -> str:
        """`leg 2 (cctp, base.USDC to solana.USDC)`, counted from 1."""
        lane = planned.leg.lane
        return f"leg {index + 1} ({lane.rail}, {self.name(lane.source.id)} to {self.name(lane.target.id)})"

    def legs(self) -> Iterable[tuple[str, PlannedLeg]]:
        return ((self.subject(index, planned), planned) for index, planned in enumerate(self.plan.legs))


def touched(plan: Plan) -> tuple[AssetId, ...]:
    """Every asset that a plan gives, takes or pays fees in, in the order of the legs."""
    amounts = (amount for planned in plan.legs for amount in (planned.leg.gives, planned.leg.least, *planned.quote.fees))
    return tuple(dict.fromkeys(amount.token.asset for amount in amounts))


def total(values: Iterable[Fraction | None]) -> Fraction | None:
    """The sum, or None when a part of it is unknown."""
    known = list(values)
    return None if any(value is None for value in known) else sum((value for value in known if value is not None), Fraction(0))


def cost(case: Case, quotes: Iterable[Quote]) -> Fraction | None:
    """USD that legs lose at own prices: what is given less what is taken, plus the fees beside it. None when a price is missing.

    A leg that seems to gain counts as zero, so that a quote too good to be true hides nothing of the others.
    """
    parts: list[Fraction | None] = []
    for quote in quotes:
        given, taken = case.worth(quote.gives), case.worth(quote.takes)
        parts.append(None if given is None or taken is None else max(Fraction(0), given - taken))
        parts += [case.worth(fee) for fee in quote.fees]
    return total(parts)


def least_free(case: Case) -> Mapping[TokenId, int]:
    """The lowest free balance (base units, may be negative) of every token that the plan spends, while its legs run in order.

    A leg's gift and fees leave before its delivery arrives, and a delivery counts for no more than the leg's `least`.
    """
    free = {position.token.id: position.held - position.leaving for position in case.portfolio.positions}
    lowest: dict[TokenId, int] = {}
    for planned in case.plan.legs:
        for amount in (planned.leg.gives, *planned.quote.fees):
            token = amount.token.id
            free[token] = free.get(token, 0) - amount.units
            lowest[token] = min(free[token], lowest.get(token, free[token]))
        arrives = planned.leg.least
        free[arrives.token.id] = free.get(arrives.token.id, 0) + arrives.units
    return lowest
