"""Tests of stress paths, exits and the report."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from policies.breakers.conditions import Jump, PriceMove
from policies.breakers.policy import Breaker, Guarded, WayBack
from policies.drift import BandPolicy, DriftTrigger
from policies.risk.covariance import BadEstimate
from policies.stress.exits import pool_out, way_out
from policies.stress.paths import paths
from policies.stress.report import World, report
from tests.policies.folio import DAY, HOUR, bands, folio

HELD = folio({"ETH": "0.4", "SOL": "0.2", "USDC": "0.4"}, {"ETH": 3000, "SOL": 150})
POLICY = BandPolicy(bands("0.05", ETH="0.4", SOL="0.2", USDC="0.4"))
SAFE = Guarded(
    POLICY,
    (
        Breaker("dying", PriceMove(Fraction(3, 10), 72 * HOUR, Fraction(3, 10)), "no-buy", WayBack(14 * DAY)),
        Breaker("tick", Jump(Fraction(3, 10)), "freeze"),
    ),
)
WORLD = World(Fraction(1, 1000), Fraction(1), frozenset({"USDC"}), {"ETH": Fraction(5_000_000)}, Fraction(1, 100), 600)


def rows(policy: BandPolicy | Guarded) -> dict[str, dict[str, float]]:
    return {row["path"]: row for row in report(HELD, policy, DriftTrigger(), WORLD)["paths"]}


def test_report__breakers__dying_asset_is_not_bought_all_the_way_down() -> None:
    dying = "ETH dies: to a ten-thousandth in 96 h"
    plain, safe = rows(POLICY)[dying], rows(SAFE)[dying]
    assert plain["loss"] > safe["loss"] + 0.1
    assert 1 - safe["loss"] >= 0.9 * (1 - safe["held"])
    assert safe["trades"] < plain["trades"]


@pytest.mark.parametrize("asset", ["ETH", "SOL", "USDC"])
def test_report__bad_tick__with_a_jump_breaker_nothing_is_traded(asset: str) -> None:
    tick = f"bad tick: {asset} at a fifth for one hour"
    assert rows(SAFE)[tick]["trades"] == 0
    assert rows(POLICY)[tick]["trades"] > 0


def test_report__quiet__loses_nothing() -> None:
    quiet = rows(POLICY)["quiet"]
    assert (quiet["loss"], quiet["trades"]) == (pytest.approx(0, abs=1e-12), 0)


def test_report__worst_and_exits__told_with_unknown_depths() -> None:
    found = report(HELD, POLICY, DriftTrigger(), WORLD)
    assert found["worst"]["loss"] == max(row["loss"] for row in found["paths"])
    eth, sol, _ = found["exits"]
    assert (eth["now"]["parts"], eth["now"]["seconds"]) == (8, 7 * 600)  # 400,000 at 1 % of a 5 M pool: 50,505 a trade
    assert eth["thin"]["parts"] == 80
    assert (sol["depth"], sol["now"]) == (None, None)
    assert found["outages"] == [{"chain": "eip155:1", "stuck": 1.0}]


def test_report__empty_treasury__is_refused() -> None:
    with pytest.raises(BadEstimate, match="empty"):
        report(folio({"ETH": 0}), POLICY, DriftTrigger(), WORLD)


def test_paths__any__begin_today_and_stay_above_zero() -> None:
    for path in paths(("ETH", "USDC"), frozenset({"USDC"})):
        assert path.factors[0].tolist() == [1.0, 1.0]
        assert (path.factors > 0).all()
        assert np.isfinite(path.factors).all()


def test_way_out__fewest_parts__each_within_the_impact() -> None:
    way = way_out(Fraction(400_000), Fraction(5_000_000), Fraction(1, 100), 600)
    each = Fraction(400_000, way.parts)
    assert each / (5_000_000 + each) <= Fraction(1, 100)
    bigger = Fraction(400_000, way.parts - 1)
    assert bigger / (5_000_000 + bigger) > Fraction(1, 100)
    assert way.cost < way.at_once


def test_way_out__nothing_or_no_pool__is_told() -> None:
    assert way_out(Fraction(0), Fraction(1), Fraction(1, 100), 600).parts == 0
    with pytest.raises(BadEstimate):
        way_out(Fraction(1), Fraction(0), Fraction(1, 100), 600)


def test_pool_out__exact__product_of_reserves_is_kept() -> None:
    out = pool_out((Fraction(10**6), Fraction(2 * 10**6)), Fraction(10**4), Fraction(0))
    assert (10**6 + 10**4) * (2 * 10**6 - out) == 2 * 10**12
