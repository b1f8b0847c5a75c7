"""The policy with breakers: another policy's targets, changed by what is closed, and the state of each breaker from turn to turn.

State goes through the past: a closed breaker is written into the targets with the second at which it last had reason, comes back with
the next turn's past, and opens only by its way back. So live runs, restarts and backtests agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from chains.tokens import AssetId
from policies.base import Policy, Portfolio, Targets
from policies.breakers.conditions import ALL, Condition, Jump
from policies.breakers.transform import ACTIONS, Held, frozen, transformed
from policies.decide import memory_of
from policies.drift import moment, unpriced


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a breaker opens again: `after` seconds without reason and, when `calm` is set, only once its condition is calm.

    `owner`: only a person opens it, by writing a moment `reopened` (unix seconds) that lies after its last reason.
    """

    after: int = 0
    calm: bool = False
    owner: bool = False
    reopened: int | None = None

    def __str__(self) -> str:
        if self.owner:
            return "until its owner reopens it"
        parts = [f"{self.after} s without reason"] * bool(self.after) + ["calm again"] * self.calm
        return f"until {' and '.join(parts) or 'the reason is gone'}"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A named condition, what it does when closed, and how it opens. `assets`: to whom it applies (empty: to all)."""

    name: str
    condition: Condition
    action: str
    back: WayBack = WayBack()
    assets: frozenset[AssetId] = frozenset()

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f'breaker {self.name}: "{self.action}" is no action; allowed: {", ".join(ACTIONS)}')

    def stays_closed(self, portfolio: Portfolio, asset: AssetId, since: int) -> bool:
        """After its reason has gone. `since`: unix seconds at which it last had reason."""
        if self.back.owner:
            return self.back.reopened is None or self.back.reopened <= since
        if portfolio.time - since < self.back.after:
            return True
        return self.back.calm and not self.condition.calm(portfolio, asset)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A policy under breakers. `refuges`: where reduce-only puts what it takes out."""

    inner: Policy
    breakers: Sequence[Breaker]
    refuges: frozenset[AssetId] = frozenset()

    @property
    def memory(self) -> int:
        return memory_of(self.inner, *(breaker.condition for breaker in self.breakers))

    def targets(self, portfolio: Portfolio) -> Targets:
        wanted = self.inner.targets(portfolio)
        closed, told = self._closed(portfolio)
        suspect = self._suspect(portfolio)
        wanted = replace(wanted, closed={**wanted.closed, **closed}, suspect={**wanted.suspect, **suspect}, told=(*wanted.told, *told))
        return wanted if unpriced(portfolio) or not closed else self._changed(wanted, portfolio)

    def _closed(self, portfolio: Portfolio) -> tuple[dict[str, int], list[str]]:
        before: Mapping[str, int] = portfolio.past[-1].closed if portfolio.past else {}
        closed: dict[str, int] = {}
        told: list[str] = []
        for breaker in self.breakers:
            reasons = {} if unpriced(portfolio) else breaker.condition.trips(portfolio)
            for asset, why in reasons.items():
                if asset == ALL or not breaker.assets or asset in breaker.assets:
                    closed[f"{breaker.name}/{asset}"] = portfolio.time
                    told.append(f"{breaker.name}: {breaker.action} {_named(asset)}, {why}; {breaker.back}")
            for key, since in before.items():
                name, _, asset = key.rpartition("/")
                if name == breaker.name and key not in closed and (unpriced(portfolio) or breaker.stays_closed(portfolio, asset, since)):
                    closed[key] = since
                    told.append(f"{breaker.name}: {breaker.action} {_named(asset)} since {moment(since)}; {breaker.back}")
        return closed, told

    def _suspect(self, portfolio: Portfolio) -> dict[AssetId, Fraction]:
        jumps = [breaker.condition for breaker in self.breakers if isinstance(breaker.condition, Jump)]
        return {asset: price for jump in jumps for asset, price in jump.suspects(portfolio).items()}

    def _changed(self, wanted: Targets, portfolio: Portfolio) -> Targets:
        by_name = {breaker.name: breaker.action for breaker in self.breakers}
        hit = [(by_name[name], asset) for name, _, asset in (key.rpartition("/") for key in wanted.closed) if name in by_name]
        if ("freeze", ALL) in hit:
            return frozen(wanted, portfolio)

        def under(*actions: str) -> frozenset[AssetId]:
            found = {asset for action, asset in hit if action in actions}
            return frozenset(set(wanted.assets) - self.refuges | found - {ALL} if ALL in found else found)

        calm = transformed(wanted, portfolio, Held(under("no-buy", "freeze"), under("no-sell", "freeze")))
        return transformed(calm, portfolio, Held(no_buy=under("reduce-only"), refuges=self.refuges))


def _named(asset: AssetId) -> str:
    return "everything" if asset == ALL else asset
