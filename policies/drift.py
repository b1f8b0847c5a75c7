"""Keeping weights inside fixed bands: the policy, what is outside its band, and when that is reason to act.

A weight that lies exactly on an edge is inside. Weights and distances are exact shares of NAV.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction

from chains.tokens import Amount
from policies.base import Band, Decision, Drift, Gate, Portfolio, Targets, Trigger, UnitBand
from policies.words import show_duration

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class BandPolicy:
    """Wants the same bands whatever happens."""

    bands: Targets

    def targets(self, portfolio: Portfolio) -> Targets:
        return self.bands


def drifts(portfolio: Portfolio, targets: Targets) -> tuple[Drift, ...]:
    """Every broken band: assets, then chains, then tokens, each in the order of `targets`. None of an empty treasury.

    A band on base units is told as shares of NAV, so that all distances compare. Raises KeyError when an asset has no price.
    """
    nav = portfolio.nav
    if nav <= 0:
        return ()
    by_asset, by_chain = portfolio.asset_weights(), portfolio.chain_weights()
    found = [
        *(_drift(asset, by_asset.get(asset, _ZERO), band) for asset, band in targets.assets.items()),
        *(_drift(str(chain), by_chain.get(chain, _ZERO), band) for chain, band in targets.chains.items()),
        *_token_drifts(portfolio, targets, nav),
    ]
    return tuple(drift for drift in found if drift.surplus or drift.deficit)


def _token_drifts(portfolio: Portfolio, targets: Targets, nav: Fraction) -> Iterable[Drift]:
    for position in portfolio.positions:
        limits = targets.tokens.get(position.token.id)
        if limits is not None:
            one_unit = portfolio.prices.value(Amount(position.token, 1)) / nav
            yield _drift(str(position.token.id), position.total * one_unit, _in_shares(limits, one_unit))


def _in_shares(limits: UnitBand, one_unit: Fraction) -> Band:
    low = None if limits.low is None else limits.low * one_unit
    high = None if limits.high is None else limits.high * one_unit
    return Band(low, None, high)


def _drift(subject: str, weight: Fraction, band: Band) -> Drift:
    return Drift(subject, weight, band, band.surplus(weight), band.deficit(weight))


@dataclass(frozen=True, slots=True)
class DriftTrigger:
    """Acts when an outer band is broken by more than `beyond` (a share of NAV). Without a price for all that is held it does not act."""

    beyond: Fraction = _ZERO

    def decide(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Decision:
        refusal = unpriced(portfolio)
        if refusal:
            return blind(refusal)
        found = drifts(portfolio, replace(targets, assets=targets.starting))
        needed = f"a weight more than {_percent(self.beyond)} of NAV outside its band" if self.beyond else "a weight outside its band"
        if not found:
            return self._waits("every band holds", needed, portfolio, targets)
        worst = max(found, key=_distance)
        told = f"{worst.subject} is {_percent(_distance(worst))} of NAV {'above' if worst.surplus else 'below'} its band"
        if _distance(worst) > self.beyond:
            return Decision(True, told, found, (Gate("drift", True, told, needed),))
        told = f"{told}, not more than {_percent(self.beyond)}"
        return replace(self._waits(told, needed, portfolio, targets), drifts=found)

    def _waits(self, told: str, needed: str, portfolio: Portfolio, targets: Targets) -> Decision:
        return Decision(False, told, (), (Gate("drift", False, told, needed, nearest_move(portfolio, targets, self.beyond)),))


def at_rest(targets: Targets, portfolio: Portfolio) -> Targets:
    """While every asset is inside its outer band, the outer bands are all that is wanted: no plan, asked for or not, trades in there."""
    weights = portfolio.asset_weights()
    if any(not band.holds(weights.get(asset, _ZERO)) for asset, band in targets.starting.items()):
        return targets
    return replace(targets, assets=dict(targets.starting), outer={})


def nearest_move(portfolio: Portfolio, targets: Targets, beyond: Fraction) -> str:
    """The smallest move of a single price that would take an asset out of its outer band by more than `beyond`, in words.

    With weight w and edge e, all other prices as they are: w(1+x)/(1+wx) = e, so x = (e-w)/(w(1-e)), exactly.
    """
    weights, moves = portfolio.asset_weights(), []
    for asset, band in targets.starting.items():
        weight = weights.get(asset, _ZERO)
        edges = ([band.high + beyond] if band.high is not None else []) + ([band.low - beyond] if band.low is not None else [])
        moves += [(abs((edge - weight) / (weight * (1 - edge))), asset, edge > weight, edge) for edge in edges if weight and 0 < edge < 1]
    if not moves:
        return "no move of one price would do it"
    size, asset, up, edge = min(moves)
    price = portfolio.prices.by_asset[asset].value * (1 + size if up else 1 - size)
    return f"{asset} {'up' if up else 'down'} {_percent(size)}, to ${float(price):,.6g}, would bring it to {_percent(edge)} of NAV"


@dataclass(frozen=True, slots=True)
class IntervalTrigger:
    """Acts when `every` seconds have passed since the last applied plan, and when there never was one."""

    every: int

    def decide(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Decision:
        refusal = unpriced(portfolio)
        if refusal:
            return blind(refusal)
        found = drifts(portfolio, targets)
        needed = f"{self.every} s since the last plan"
        if last_run is None:
            return Decision(True, "no plan was ever applied", found, (Gate("interval", True, "no plan was ever applied", needed),))
        passed = portfolio.time - last_run
        if passed >= self.every:
            told = f"{passed} s since the last plan, every {self.every} s"
            return Decision(True, told, found, (Gate("interval", True, told, needed),))
        told = f"next in {show_duration(self.every - passed)}"
        return Decision(False, told, found, (Gate("interval", False, told, needed, f"at {moment(last_run + self.every)}"),))


@dataclass(frozen=True, slots=True)
class AnyTrigger:
    """Acts when one of several triggers does; the first that acts gives the reason, otherwise all do."""

    triggers: Sequence[Trigger]

    def decide(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Decision:
        decisions = [trigger.decide(portfolio, targets, last_run) for trigger in self.triggers]
        gates = tuple(dict.fromkeys(gate for decision in decisions for gate in decision.gates))
        acting = next((decision for decision in decisions if decision.act), None)
        if acting is not None:
            return replace(acting, gates=gates)
        reasons = list(dict.fromkeys(decision.reason for decision in decisions))
        return Decision(False, "; ".join(reasons) or "there is no trigger", decisions[0].drifts if decisions else (), gates)


def blind(refusal: str) -> Decision:
    """Not acting for want of prices."""
    return Decision(False, refusal, (), (Gate("prices", False, refusal, "a price of everything that is held", "the price comes back"),))


def moment(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def unpriced(portfolio: Portfolio) -> str:
    """Why the portfolio cannot be valued, or nothing when it can: an unknown price is never zero."""
    missing = {p.token.asset for p in portfolio.positions if p.token.asset not in portfolio.prices.by_asset}
    return "; ".join(f"{asset} has no price: {portfolio.prices.refused.get(asset, 'not observed')}" for asset in sorted(missing))


def _distance(drift: Drift) -> Fraction:
    return max(drift.surplus, drift.deficit)


def _percent(share: Fraction) -> str:
    hundredths = round(share * 10_000)
    if share and not hundredths:
        return "<0.01%"
    return f"{hundredths // 100}.{hundredths % 100:02d}%"
