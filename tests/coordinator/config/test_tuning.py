"""Tests of tuned policies, breakers, schedules and gates in a configuration."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from coordinator.config.treasury import Treasury
from policies.breakers.conditions import Depeg, PriceMove
from policies.breakers.policy import Guarded, WayBack
from policies.cost_bands import CostBands
from policies.drift import AnyTrigger, BandPolicy
from policies.gates import CoolDown, CostGate, Gated, OptimalGate
from policies.intent import IntentPolicy
from policies.risk.model import ObservedRisk, StatedRisk
from policies.risk_targets import RiskTargets
from policies.schedule import Blackout, Cron, CronTrigger

Load = Callable[..., Treasury]
TUNING = """tuning:
  risk: {volatility: {ETH: 80%, SOL: 110%}, correlation: 60%}
  costs: {proportional: 10bps, per_leg: $2, depth: {SOL: $1m}}
  aversion: 2.5
  intent: {volatility: 30%, stable: 40%, stables: [USDC], tracking: 1%}
"""
POLICY = "policy: bands\n"


def with_tuning(policy: str, more: str = "") -> tuple[str, str]:
    return POLICY, f"policy: {policy}\n{TUNING}{more}"


def test_policy__cost_bands__gets_risk_costs_and_aversion(load_edited: Load) -> None:
    policy = load_edited(with_tuning("cost-bands")).policy
    assert isinstance(policy, CostBands)
    assert policy.risk == StatedRisk({"ETH": Fraction(8, 10), "SOL": Fraction(11, 10)}, Fraction(6, 10))
    assert (policy.aversion, policy.costs.proportional, policy.costs.per_leg) == (Fraction(5, 2), Fraction(1, 1000), 2)
    assert policy.costs.depth == {"SOL": 1_000_000}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("equal-risk", RiskTargets), ("minimum-variance", RiskTargets), ("mean-variance", RiskTargets), ("intent", IntentPolicy)],
)
def test_policy__by_name__is_built(name: str, kind: type, load_edited: Load) -> None:
    assert isinstance(load_edited(with_tuning(name)).policy, kind)


def test_policy__intent__every_limit_arrives(load_edited: Load) -> None:
    policy = load_edited(with_tuning("intent")).policy
    assert isinstance(policy, IntentPolicy)
    assert (policy.intent.volatility, policy.intent.stable, policy.intent.tracking) == (Fraction(3, 10), Fraction(4, 10), Fraction(1, 100))
    assert (policy.intent.stables, policy.intent.drawdown) == (frozenset({"USDC"}), None)


def test_policy__observed_risk__remembers_ten_halflives_unless_told(load_edited: Load) -> None:
    policy = load_edited((POLICY, "policy: equal-risk\ntuning: {risk: {halflife: 10d}}\n")).policy
    assert isinstance(policy, RiskTargets)
    assert policy.risk == ObservedRisk(864_000, 8_640_000, 30)


def test_breakers__around_any_policy__with_their_way_back(load_edited: Load) -> None:
    written = """policy: bands
breakers:
  dying: {when: fall, by: 30%, within: 72h, then: no-buy, until: {quiet: 14d}, assets: [ETH, SOL]}
  peg: {when: depeg, by: 2%, calm_at: 0.5%, pegs: {USDC: 1.00}, then: reduce-only, until: {quiet: 1h, calm: true}, refuges: [ETH]}
  by-hand: {when: loss, by: 15%, within: 24h, then: freeze, until: {owner: true, reopened: "2027-01-31T00:00:00+00:00"}}
"""
    policy = load_edited((POLICY, written)).policy
    assert isinstance(policy, Guarded)
    assert isinstance(policy.inner, BandPolicy)
    dying, peg, by_hand = policy.breakers
    assert (dying.name, dying.action, dying.assets) == ("dying", "no-buy", frozenset({"ETH", "SOL"}))
    assert dying.condition == PriceMove(Fraction(3, 10), 259_200, Fraction(3, 10))
    assert dying.back == WayBack(14 * 86_400)
    assert peg.condition == Depeg({"USDC": Fraction(1)}, Fraction(2, 100), Fraction(5, 1000))
    assert (peg.back, policy.refuges) == (WayBack(3600, calm=True), frozenset({"ETH"}))
    assert by_hand.back == WayBack(owner=True, reopened=1_801_353_600)


def test_triggers__cron_and_gates__are_wired(load_edited: Load) -> None:
    gates = (
        '  interval: 1h\n  cron: {at: "30 9 * * MON-FRI", zone: Europe/Zurich, catch_up: 6h}\n'
        '  gates: {cool_down: 4h, blackouts: [{at: "0 0 24 12 *", lasting: 3d}], worth_over: 30d, optimal_over: 7d}\n'
    )
    trigger = load_edited(with_tuning("bands"), ("  interval: 1h\n", gates)).trigger
    assert isinstance(trigger, Gated)
    assert isinstance(trigger.trigger, AnyTrigger)
    assert trigger.trigger.triggers[2] == CronTrigger(Cron("30 9 * * MON-FRI", "Europe/Zurich"), 21_600)
    cool, blackout, cost, certificate = trigger.gates
    assert isinstance(certificate, OptimalGate)
    assert certificate.horizon == 7 * 86_400
    assert (cool, blackout) == (CoolDown(14_400), Blackout(Cron("0 0 24 12 *"), 259_200))
    assert isinstance(cost, CostGate)
    assert (cost.horizon, cost.proportional, cost.per_leg) == (30 * 86_400, Fraction(1, 1000), 2)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ((POLICY, "policy: cost-bands\n"), "policy cost-bands needs an estimate of risk; allowed: a section tuning; add tuning: {risk: …"),
        ((POLICY, "policy: intent\ntuning: {width: 1pp}\n"), "no risk; allowed: risk: {volatility"),
        ((POLICY, "policy: equal-risk\ntuning: {risk: {correlation: 10%}}\n"), "the source of risk is not clear"),
        (
            (POLICY, "policy: bands\ntuning: {risk: {volatility: {ETC: 80%}}}\n"),
            '"ETC" is no asset; allowed: USDC, ETH, SOL; did you mean "ETH"?',
        ),
        ((POLICY, "policy: bands\ntuning: {risk: {volatility: {ETH: 0.8}}}\n"), "allowed: a yearly figure in percent, as in 80%"),
        ((POLICY, "policy: bands\ntuning: {risk: {volatility: {ETH: -8%}}}\n"), "allowed: zero or above"),
        (
            (POLICY, "policy: bands\nbreakers: {a: {when: fall, by: 3%, then: no-buy}}\n"),
            "a breaker on fall needs a window; allowed: within: 72h",
        ),
        ((POLICY, "policy: bands\nbreakers: {a: {when: depeg, by: 3%, then: no-buy}}\n"), "pegs: {USDC: 1.00}"),
        ((POLICY, "policy: bands\nbreakers: {a: {when: jump, by: 3%, calm_at: 4%, then: freeze}}\n"), "calm_at lies beyond by"),
        ((POLICY, "policy: bands\nbreakers: {a: {when: jump, by: 3%, then: panic}}\n"), "no-buy"),
        (("  interval: 1h\n", '  cron: {at: "61 * * * *"}\n'), '"61 * * * *" is no cron expression'),
        (("  interval: 1h\n", '  cron: {at: "1 * * * *", zone: Mars/Base}\n'), '"Mars/Base" is no time zone'),
        (("  interval: 1h\n", "  gates: {worth_over: 30d}\n"), "the gate worth_over or optimal_over needs an estimate of risk"),
    ],
)
def test_tuning__wrong__is_told_in_one_line(edit: tuple[str, str], told: str, refusals: Callable[..., list[str]]) -> None:
    found = refusals(edit)
    assert len(found) == 1, found
    assert told in found[0]
