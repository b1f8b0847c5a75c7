"""Tests of policies that reckon: cost bands, targets by risk, and intents."""

from __future__ import annotations

from fractions import Fraction
from math import pi, sqrt

import numpy as np
import pytest

from policies.backtest.fast import backtest, tracking_of
from policies.backtest.run import Terms
from policies.base import Band, Prices, Targets
from policies.cost_bands import LEAST, CostBands, Costs
from policies.drift import BandPolicy, DriftTrigger
from policies.intent import Intent, IntentPolicy, derive, tracking_bands
from policies.region.bands import optimal, setting
from policies.registry import POLICIES
from policies.risk.covariance import BadEstimate, Floats, sample
from policies.risk.model import ObservedRisk, StatedRisk
from policies.risk.tracking import contributions, volatility
from policies.risk_targets import RiskTargets
from policies.tuning import Tuning
from tests.benchmarks.policies import workloads
from tests.policies.folio import DAY, folio

OWNERS = Targets({"ETH": Band(Fraction(1, 10), Fraction(3, 10), Fraction(6, 10)), "USDC": Band(Fraction(4, 10), Fraction(7, 10), None)})
RISK = StatedRisk({"ETH": Fraction(8, 10)})
HELD = {"ETH": "0.3", "USDC": "0.7"}


def cost_bands(per_leg: int = 2, landing: str = "inner", owners: Targets = OWNERS, **more: object) -> Targets:
    costs = Costs(Fraction(1, 1000), Fraction(per_leg), depth={"ETH": Fraction(str(more["depth"]))} if "depth" in more else {})
    return CostBands(owners, RISK, Fraction(2), costs, landing).widths(folio(HELD))


def test_cost_bands__stated_risk__are_the_law() -> None:
    law = optimal(setting(0, np.array([0.3, 0.7]), np.diag([0.64, 0.0]), 2.0, (1e-3, 2e-6)))
    targets = cost_bands()
    assert float(targets.assets["ETH"].high or 0) == pytest.approx(0.3 + law.inner, abs=1e-8)
    assert float(targets.outer["ETH"].low or 0) == pytest.approx(0.3 - law.outer, abs=1e-8)


def test_cost_bands__dearer_gas__trade_later_and_further_back() -> None:
    cheap, dear = cost_bands(per_leg=0), cost_bands(per_leg=200)
    assert (dear.outer["ETH"].high or 0) > (cheap.outer["ETH"].high or 0)
    assert (dear.assets["ETH"].high or 0) < (cheap.assets["ETH"].high or 0)
    assert cheap.outer["ETH"] == cheap.assets["ETH"]  # no fixed cost: to the edge


def test_cost_bands__thin_pool__widens() -> None:
    assert (cost_bands(200, depth=100_000).outer["ETH"].high or 0) > (cost_bands(200).outer["ETH"].high or 0)


def test_cost_bands__between_inner_and_outer__nothing_is_wanted() -> None:
    policy = CostBands(OWNERS, RISK, Fraction(2), Costs(Fraction(1, 1000), Fraction(200)))
    wide = policy.widths(folio(HELD))
    between = ((wide.assets["ETH"].high or Fraction(0)) + (wide.outer["ETH"].high or Fraction(0))) / 2
    assert policy.targets(folio({"ETH": between, "USDC": 1 - between})).assets == wide.outer
    beyond = (wide.outer["ETH"].high or Fraction(0)) + Fraction(1, 100)
    assert policy.targets(folio({"ETH": beyond, "USDC": 1 - beyond})).assets == wide.assets


@pytest.mark.parametrize("landing", ["edge", "target"])
def test_cost_bands__landing__edge_or_target(landing: str) -> None:
    targets = cost_bands(landing=landing)
    expected = targets.outer["ETH"] if landing == "edge" else Band(Fraction(3, 10) - LEAST, Fraction(3, 10), Fraction(3, 10) + LEAST)
    assert targets.assets["ETH"] == expected


def test_cost_bands__owners_band__is_the_widest() -> None:
    narrow = Targets({"ETH": Band(Fraction(29, 100), Fraction(3, 10), Fraction(31, 100)), "USDC": Band(None, Fraction(7, 10), None)})
    targets = cost_bands(per_leg=2000, owners=narrow)
    assert targets.outer["ETH"] == narrow.assets["ETH"]


def test_cost_bands__no_estimate_or_price__owners_bands_and_why() -> None:
    blind = CostBands(OWNERS, ObservedRisk(DAY, 10 * DAY), Fraction(2), Costs(Fraction(1, 1000)))
    targets = blind.targets(folio(HELD))
    assert (targets.assets, targets.outer) == (OWNERS.assets, {})
    assert "0 returns of ETH, USDC are remembered; 30 are needed" in targets.told[0]
    assert blind.targets(folio({"ETH": 0})) == OWNERS
    unpriced = folio(HELD)
    assert blind.targets(type(unpriced)(unpriced.positions, Prices({}), unpriced.time)) == OWNERS


THREE = Targets({a: Band(Fraction(5, 100), Fraction(1, 3), Fraction(6, 10)) for a in ("ETH", "SOL", "USDC")})
THREE_RISK = StatedRisk({"ETH": Fraction(8, 10), "SOL": Fraction(1), "USDC": Fraction(1, 10)}, Fraction(3, 10))
COVARIANCE = THREE_RISK.covariance(folio({"ETH": 1}), ["ETH", "SOL", "USDC"])


def by_risk(kind: str, bands: Targets = THREE, **more: Fraction) -> list[float]:
    policy = RiskTargets(bands, THREE_RISK, kind, Fraction(2, 100), Fraction(2), more)
    targets = policy.targets(folio({"ETH": "0.3", "SOL": "0.3", "USDC": "0.4"}))
    ideals = [band.ideal or Fraction(0) for band in targets.assets.values()]
    assert sum(ideals) == 1
    return [float(ideal) for ideal in ideals]


def test_minimum_variance__floors_and_caps__no_feasible_weights_are_calmer() -> None:
    found, rng = np.array(by_risk("minimum-variance")), np.random.default_rng(0)
    assert found.tolist() == pytest.approx([0.27, 0.13, 0.6], abs=0.03)
    for weights in rng.dirichlet(np.ones(3), 3000):
        if (weights >= 0.05).all() and (weights <= 0.6).all():
            assert volatility(weights, COVARIANCE) >= volatility(found, COVARIANCE) - 1e-8


def test_equal_risk__within_bounds__contributions_are_equal() -> None:
    free = Targets({a: Band(None, Fraction(1, 3), None) for a in ("ETH", "SOL", "USDC")})
    shares = contributions(np.array(by_risk("equal-risk", free)), COVARIANCE)
    assert shares == pytest.approx([shares[0]] * 3, rel=1e-6)


def test_mean_variance__better_view__more_of_it() -> None:
    assert by_risk("mean-variance", ETH=Fraction(8, 10))[0] > by_risk("mean-variance")[0]


def test_risk_targets__unknown_kind_or_landing__are_refused() -> None:
    with pytest.raises(ValueError, match="no target by risk"):
        RiskTargets(THREE, RISK, "best", Fraction(1))
    with pytest.raises(ValueError, match="no way to land"):
        CostBands(OWNERS, RISK, Fraction(1), Costs(Fraction(0)), "softly")


def test_risk_targets__zero_volatility__owners_targets_and_why() -> None:
    targets = RiskTargets(OWNERS, RISK, "equal-risk", Fraction(1, 100)).targets(folio(HELD))
    assert targets.assets == OWNERS.assets
    assert "asset 1 has no volatility" in targets.told[0]


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_registry__every_policy__answers_for_an_untuned_treasury(name: str) -> None:
    assert set(POLICIES[name](OWNERS, Tuning()).targets(folio(HELD)).assets) == {"ETH", "USDC"}


ASSETS = ("ETH", "SOL", "USDC")
PREFERRED = np.array([0.5, 0.2, 0.3])
CALM = frozenset({"USDC"})


@pytest.mark.parametrize(
    "intent",
    [
        Intent(),
        Intent(volatility=Fraction(30, 100)),
        Intent(volatility=Fraction(30, 100), stable=Fraction(80, 100), stables=CALM),
        Intent(drawdown=Fraction(30, 100), horizon=Fraction(2)),
        Intent(stable=Fraction(1), stables=CALM),
    ],
)
def test_derive__possible_intent__is_kept_by_the_nearest_weights(intent: Intent) -> None:
    found, rng = derive(intent, ASSETS, PREFERRED, COVARIANCE), np.random.default_rng(1)
    assert found.possible
    assert keeps(intent, found.weights, 1e-6)
    nearest = float(np.sum((found.weights - PREFERRED) ** 2))
    for weights in rng.dirichlet(np.ones(3), 3000):
        if keeps(intent, weights, 0.0):
            assert float(np.sum((weights - PREFERRED) ** 2)) >= nearest - 1e-5


def keeps(intent: Intent, weights: Floats, slack: float) -> bool:
    cap = intent.most_volatility
    return (cap is None or volatility(weights, COVARIANCE) <= cap + slack) and weights[2] >= float(intent.stable or 0) - slack


def test_derive__drawdown__is_a_cap_on_volatility() -> None:
    intent = Intent(drawdown=Fraction(15, 100), horizon=Fraction(4))
    assert intent.most_volatility == pytest.approx(0.15 / (sqrt(pi / 2) * 2))


def test_derive__impossible__nearest_possible_and_what_falls_short() -> None:
    found = derive(Intent(volatility=Fraction(5, 100)), ASSETS, PREFERRED, COVARIANCE)
    assert not found.possible
    assert found.told[0] == "impossible: volatility cannot be below 10.00%, the intent allows 5.00%"
    assert found.told[1].startswith("traded off against the preferred weights: ETH -50.00%")
    for weights in np.random.default_rng(2).dirichlet(np.ones(3) * 0.3, 3000):
        assert volatility(weights, COVARIANCE) >= found.volatility - 1e-9


def test_derive__stables_that_are_not_there__is_refused() -> None:
    with pytest.raises(BadEstimate, match="names no asset of the targets"):
        derive(Intent(stable=Fraction(1, 2), stables=frozenset({"DAI"})), ASSETS, PREFERRED, COVARIANCE)


def test_intent_policy__tracking__bands_keep_it_on_a_long_path() -> None:
    prices = workloads.synthetic(3, 8766 * 2, 3)
    yearly = sample(np.diff(np.log(prices.prices), axis=0)) * 8766
    ideals = np.array([0.4, 0.4, 0.2])
    for tracking in (0.01, 0.02):
        widths = tracking_bands(ideals, yearly, (1e-3, 1e-6), tracking)
        exact = [[Fraction(w).limit_denominator(10**6) for w in pair] for pair in widths]
        rows = [(asset, Fraction(str(ideals[i])), *exact[i]) for i, asset in enumerate(prices.assets)]
        targets = Targets({a: Band(b - i, b, b + i) for a, b, i, _ in rows}, outer={a: Band(b - o, b, b + o) for a, b, _, o in rows})
        found = tracking_of(backtest(prices, BandPolicy(targets), DriftTrigger(), Terms(proportional=Fraction(1, 1000))))
        realised = float(np.sqrt(np.mean(found**2) * 8766))
        assert 0.4 * tracking < realised <= tracking


def test_intent_policy__impossible__still_answers_and_says_so() -> None:
    policy = IntentPolicy(THREE, Intent(volatility=Fraction(1, 100)), THREE_RISK, Fraction(1, 1000), Fraction(1))
    targets = policy.targets(folio({"ETH": "0.3", "SOL": "0.3", "USDC": "0.4"}))
    assert targets.told[0].startswith("impossible:")
    assert sum(band.ideal or 0 for band in targets.assets.values()) == 1


def test_reckoned_targets__asset_held_but_not_targeted__keeps_its_share() -> None:
    held = folio({"ETH": "0.3", "SOL": "0.2", "USDC": "0.4", "DUST": "0.1"})
    calm = RiskTargets(THREE, THREE_RISK, "minimum-variance", Fraction(2, 100))
    for policy in (calm, IntentPolicy(THREE, Intent(), THREE_RISK, Fraction(1), Fraction(0))):
        assert sum(band.ideal or 0 for band in policy.targets(held).assets.values()) == Fraction(9, 10)
