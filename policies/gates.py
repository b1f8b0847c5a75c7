"""Gates before a trigger: even when it is time to act, a plan must also be allowed (cool-down, blackout) and worth it (cost)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np

from policies.base import Decision, Gate, Portfolio, Targets, Trigger
from policies.decide import memory_of
from policies.drift import drifts, moment
from policies.landing import landed
from policies.region.certificate import Interval, certify, hold
from policies.region.problem import Problem, document, problem
from policies.region.solve import solve
from policies.risk.covariance import BadEstimate
from policies.risk.model import RiskModel
from policies.risk.tracking import YEAR, compared


class GateRule(Protocol):
    """One gate. `memory`: seconds of past that it looks at."""

    @property
    def memory(self) -> int: ...

    def gate(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Gate: ...


@dataclass(frozen=True, slots=True)
class Gated:
    """Acts when its trigger does and every gate is open. Gates are asked only when the trigger acts: until then it is the reason."""

    trigger: Trigger
    gates: Sequence[GateRule]

    @property
    def memory(self) -> int:
        return memory_of(self.trigger, *self.gates)

    def decide(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Decision:
        decision = self.trigger.decide(portfolio, targets, last_run)
        if not decision.act:
            return decision
        asked = tuple(rule.gate(portfolio, targets, last_run) for rule in self.gates)
        shut = [gate for gate in asked if not gate.opens]
        gates = (*decision.gates, *asked)
        if not shut:
            return replace(decision, gates=gates)
        told = "; ".join(f"{gate.name}: {gate.found}" for gate in shut)
        return Decision(False, f"{decision.reason}, but {told}", decision.drifts, gates)


@dataclass(frozen=True, slots=True)
class CoolDown:
    """At least `seconds` between two plans; exactly that long counts."""

    seconds: int
    memory: int = 0

    def gate(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Gate:
        needed = f"{self.seconds} s since the last plan"
        if last_run is None or portfolio.time - last_run >= self.seconds:
            return Gate("cool-down", True, "no plan yet" if last_run is None else f"{portfolio.time - last_run} s", needed)
        return Gate("cool-down", False, f"{portfolio.time - last_run} s", needed, f"at {moment(last_run + self.seconds)}")


@dataclass(frozen=True, slots=True)
class CostGate:
    """Worth it: less tracking risk over the band's life outweighs what the trade costs.

    Benefit = g/2 (TE before^2 - TE after^2) x `horizon` x NAV; cost = `proportional` x turnover x NAV + `per_leg` x legs, in USD, with
    the trade that lands inside the bands in the fewest legs. Without an estimate of risk the gate stays shut. A broken band of a chain
    or token opens it: those limits are not weighed against cost.
    """

    risk: RiskModel
    aversion: Fraction
    horizon: int
    proportional: Fraction
    per_leg: Fraction

    @property
    def memory(self) -> int:
        return self.risk.memory

    def gate(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Gate:
        needed = "a benefit above the cost"
        if drifts(portfolio, replace(targets, assets={})):
            return Gate("cost", True, "a band of a chain or token is broken: it is mended whatever it costs", needed)
        landing = landed(portfolio.asset_weights(), targets)
        if not landing.legs:
            return Gate("cost", True, "no asset has to be traded", needed)
        assets = list(landing.after)
        try:
            covariance = self.risk.covariance(portfolio, assets)
        except BadEstimate as problem:
            return Gate("cost", False, str(problem), needed, "more prices are remembered")
        before, after, ideal = (np.array([float(row[a]) for a in assets]) for row in (landing.before, landing.after, landing.ideal))
        nav = float(portfolio.nav)
        tracking = compared(before, after, ideal, covariance)
        benefit = 0.5 * float(self.aversion) * (tracking.before**2 - tracking.after**2) * self.horizon / YEAR * nav
        cost = float(self.proportional) * float(landing.turnover) * nav + float(self.per_leg) * landing.legs
        found = f"benefit ${benefit:,.2f} (tracking error {tracking.before:.2%} to {tracking.after:.2%} a year), cost ${cost:,.2f}"
        if benefit > cost:
            return Gate("cost", True, found, needed)
        return Gate("cost", False, found, needed, _cheaper(benefit, cost))


def _cheaper(benefit: float, cost: float) -> str:
    """Benefit grows with the square of the distance, cost with the distance at most: this much further out is always enough."""
    if benefit <= 0:
        return "the trade lowers no tracking risk at any cost"
    return f"costs {1 - benefit / cost:.0%} lower, or weights {cost / benefit - 1:.0%} further out"


@dataclass(frozen=True, slots=True)
class OptimalGate:
    """The certificate as a gate: shut while holding is optimal for tracking risk over `horizon` seconds against proportional cost.

    The proof is kept with the decision either way: of holding, or of what trading would be best. Cost and risk need the same horizon:
    the cost of a trade is weighed against the risk of the time it lasts. Assets without an ideal are left out; broken bands of chains
    or tokens open it.
    """

    risk: RiskModel
    aversion: Fraction
    horizon: int
    proportional: Fraction

    @property
    def memory(self) -> int:
        return self.risk.memory

    def gate(self, portfolio: Portfolio, targets: Targets, last_run: int | None) -> Gate:
        needed = "weights for which trading beats holding, by certificate"
        if drifts(portfolio, replace(targets, assets={})):
            return Gate("certificate", True, "a band of a chain or token is broken: it is mended whatever it costs", needed)
        try:
            made = self._problem(portfolio, targets)
        except BadEstimate as problem_:
            return Gate("certificate", False, str(problem_), needed, "an estimate of risk and ideals that can be met")
        gate = hold(made)
        proof = certify(made, made.current) if gate.optimal else solve(made).certificate
        told = f"the dearest sale is worth {gate.low:.3e}, the cheapest purchase {gate.high:.3e}"
        kept = json.dumps({"problem": document(made), "certificate": proof.document()})
        if not gate.optimal:
            return Gate("certificate", True, f"{told}: trading pays", needed, "", kept)
        return Gate(
            "certificate", False, f"{told}: holding is optimal", needed, f"costs {_lower(gate, float(self.proportional)):.0%} lower", kept
        )

    def _problem(self, portfolio: Portfolio, targets: Targets) -> Problem:
        weights = portfolio.asset_weights()
        assets = [asset for asset, band in targets.assets.items() if band.ideal is not None]
        ideal = np.array([float(targets.assets[asset].ideal or 0) for asset in assets])
        current = np.array([float(weights.get(asset, 0)) for asset in assets])
        if not (ideal.sum() > 0 and current.sum() > 0):
            raise BadEstimate("no asset with an ideal is held")
        covariance = self.risk.covariance(portfolio, assets) * (self.horizon / YEAR)
        return problem(covariance, float(self.aversion), ideal / ideal.sum(), current / current.sum(), costs=float(self.proportional))


def _lower(gate: Interval, cost: float) -> float:
    """Each side moves by the cost, so the interval closes when costs fall by half its width."""
    return min(1.0, (gate.high - gate.low) / (2 * cost)) if cost > 0 else 0.0
