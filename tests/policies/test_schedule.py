"""Tests of schedules: moments in time zones, catching up, blackouts, and gates before a trigger."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from policies.base import Band, Decision, Portfolio, Targets
from policies.drift import DriftTrigger, IntervalTrigger
from policies.gates import CoolDown, CostGate, Gated, OptimalGate
from policies.region.verifier import complaints
from policies.risk.model import ObservedRisk, StatedRisk
from policies.schedule import BadSchedule, Blackout, Cron, CronTrigger
from tests.policies.folio import CHAIN, DAY, HOUR, NOW, bands, folio, seen

HALF = bands("0.02", ETH="0.5", USDC="0.5")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def looked(text: str) -> Portfolio:
    return folio({"ETH": "0.5", "USDC": "0.5"}, time=at(text))


ZURICH = Cron("30 9 * * MON-FRI", "Europe/Zurich")


@pytest.mark.parametrize(
    ("now", "latest", "following"),
    [
        ("2026-01-05T08:29:59", "2026-01-02T08:30:00", "2026-01-05T08:30:00"),  # Monday, a second before; winter is UTC+1
        ("2026-01-05T08:30:00", "2026-01-05T08:30:00", "2026-01-06T08:30:00"),  # the moment itself counts
        ("2026-07-06T07:30:00", "2026-07-06T07:30:00", "2026-07-07T07:30:00"),  # summer is UTC+2
        ("2026-03-29T12:00:00", "2026-03-27T08:30:00", "2026-03-30T07:30:00"),  # the clocks changed between
    ],
)
def test_cron__in_a_time_zone__follows_its_clock(now: str, latest: str, following: str) -> None:
    assert ZURICH.latest(at(now)) == at(latest)
    assert ZURICH.following(at(now)) == at(following)


def test_cron__moment_skipped_by_the_clocks__runs_when_they_have_moved() -> None:
    nightly = Cron("30 2 * * *", "Europe/Zurich")  # 02:30 does not exist on 2026-03-29
    assert nightly.following(at("2026-03-28T12:00:00")) == at("2026-03-29T01:00:00")


def test_cron__moment_that_happens_twice__runs_once() -> None:
    nightly = Cron("30 2 * * *", "Europe/Zurich")  # 02:30 happens twice on 2026-10-25
    first = nightly.following(at("2026-10-24T12:00:00"))
    assert first is not None
    assert nightly.following(first) == at("2026-10-26T01:30:00")


@pytest.mark.parametrize(
    ("text", "zone", "told"),
    [("61 * * * *", "UTC", "no cron expression"), ("* * * *", "UTC", "no cron"), ("* * * * *", "Mars", "no time zone")],
)
def test_cron__wrong__is_told(text: str, zone: str, told: str) -> None:
    with pytest.raises(BadSchedule, match=told):
        Cron(text, zone)


def decided(now: str, last_run: str | None, catch_up: int | None = None) -> Decision:
    return CronTrigger(ZURICH, catch_up).decide(looked(now), HALF, None if last_run is None else at(last_run))


@pytest.mark.parametrize(
    ("now", "last_run", "catch_up", "acts"),
    [
        ("2026-01-05T08:30:00", None, None, True),
        ("2026-01-05T08:30:00", "2026-01-02T08:31:00", None, True),
        ("2026-01-05T09:00:00", "2026-01-05T08:30:00", None, False),  # followed by a plan already
        ("2026-01-09T09:00:00", "2026-01-05T08:30:00", None, True),  # three missed: once
        ("2026-01-05T08:30:00", None, 3600, True),
        ("2026-01-05T09:30:00", None, 3600, True),
        ("2026-01-05T09:30:01", None, 3600, False),  # too late: let go
    ],
)
def test_cron_trigger__moments__acted_on_once(now: str, last_run: str | None, catch_up: int | None, acts: bool) -> None:
    assert decided(now, last_run, catch_up).act is acts


def test_cron_trigger__not_due__says_when() -> None:
    gate = decided("2026-01-05T09:30:01", None, 3600).gates[0]
    assert (gate.opens, gate.nearest) == (False, "at 2026-01-06 08:30:00 UTC")
    assert gate.found.startswith("2026-01-05 08:30:00 UTC was missed by 3601 s, more than 3600 s")


@pytest.mark.parametrize(
    ("now", "opens"),
    [("2026-12-23T23:59:59", True), ("2026-12-24T00:00:00", False), ("2026-12-26T23:59:59", False), ("2026-12-27T00:00:00", True)],
)
def test_blackout__edges__first_second_in_last_out(now: str, opens: bool) -> None:
    gate = Blackout(Cron("0 0 24 12 *"), 3 * DAY).gate(looked(now), HALF, None)
    assert gate.opens is opens
    assert (gate.nearest == "at 2026-12-27 00:00:00 UTC") is not opens


@pytest.mark.parametrize(("last_run", "opens"), [(None, True), (NOW - HOUR, True), (NOW - HOUR + 1, False)])
def test_cool_down__edge__counts_as_over(last_run: int | None, opens: bool) -> None:
    assert CoolDown(HOUR).gate(folio({"ETH": 1}), HALF, last_run).opens is opens


def test_gated__trigger_acts_but_a_gate_is_shut__names_it() -> None:
    trigger = Gated(DriftTrigger(), (CoolDown(HOUR), Blackout(Cron("0 0 24 12 *"), DAY)))
    decision = trigger.decide(folio({"ETH": "0.6", "USDC": "0.4"}), HALF, NOW - 60)
    assert (decision.act, decision.reason) == (False, "ETH is 8.00% of NAV above its band, but cool-down: 60 s")
    assert [(gate.name, gate.opens) for gate in decision.gates] == [("drift", True), ("cool-down", False), ("blackout", True)]


def test_gated__trigger_does_not_act__gates_are_not_asked() -> None:
    decision = Gated(IntervalTrigger(DAY), (CoolDown(HOUR),)).decide(folio({"ETH": "0.6", "USDC": "0.4"}), HALF, NOW - 60)
    assert [gate.name for gate in decision.gates] == ["interval"]


RISK = StatedRisk({"ETH": Fraction(8, 10)})


def cost_gate(weights: dict[str, str], per_leg: int, targets: Targets = HALF) -> tuple[bool, str, str]:
    gate = CostGate(RISK, Fraction(2), 30 * DAY, Fraction(1, 1000), Fraction(per_leg)).gate(folio(weights), targets, None)
    return gate.opens, gate.found, gate.nearest


def test_cost_gate__benefit_and_cost__reckoned_by_hand() -> None:
    # tracking error before .8*.10 = 8 %, after .8*.02 = 1.6 %; benefit = 1 * (.08^2-.016^2) * 30/365.25 * 1e6 = 504.64
    # cost = .001 * .16 * 1e6 + 2 legs of $20 = 200
    opens, found, _ = cost_gate({"ETH": "0.6", "USDC": "0.4"}, 20)
    assert (opens, found) == (True, "benefit $504.64 (tracking error 8.00% to 1.60% a year), cost $200.00")


def test_cost_gate__dear_legs__shut_and_says_what_would_open_it() -> None:
    opens, found, nearest = cost_gate({"ETH": "0.6", "USDC": "0.4"}, 500)
    assert (opens, found[-14:]) == (False, "cost $1,160.00")
    assert nearest == "costs 56% lower, or weights 130% further out"


def test_cost_gate__nothing_to_trade_or_no_estimate__open_and_shut() -> None:
    assert cost_gate({"ETH": "0.5", "USDC": "0.5"}, 500)[0] is True
    blind = CostGate(ObservedRisk(DAY, 30 * DAY), Fraction(2), DAY, Fraction(0), Fraction(0))
    gate = blind.gate(folio({"ETH": "0.6", "USDC": "0.4"}, past=[seen(1, ETH=1, USDC=1)]), HALF, None)
    assert (gate.opens, gate.found) == (False, "1 returns of ETH, USDC are remembered; 30 are needed for a covariance")


def test_cost_gate__band_of_a_chain_is_broken__open_at_any_cost() -> None:
    crowded = Targets(HALF.assets, {CHAIN: Band(None, None, Fraction(1, 2))})
    assert cost_gate({"ETH": "0.6", "USDC": "0.4"}, 500, crowded)[0] is True


@pytest.mark.parametrize(("eth", "opens"), [("0.52", False), ("0.7", True)])
def test_optimal_gate__either_way__its_proof_is_verified(eth: str, opens: bool) -> None:
    gate = OptimalGate(RISK, Fraction(2), 30 * DAY, Fraction(1, 200))
    found = gate.gate(folio({"ETH": eth, "USDC": str(1 - Fraction(eth))}), HALF, None)
    assert found.opens is opens
    proof = json.loads(found.proof)
    assert complaints(proof["problem"], proof["certificate"]) == ()
    assert proof["certificate"]["held"] is not opens
    forged = {**proof["certificate"], "multiplier": proof["certificate"]["multiplier"] + 0.1}
    assert complaints(proof["problem"], forged) != ()


def test_optimal_gate__shut__says_how_much_cheaper_it_would_have_to_be() -> None:
    held, costs = folio({"ETH": "0.52", "USDC": "0.48"}), Fraction(1, 200)
    found = OptimalGate(RISK, Fraction(2), 30 * DAY, costs).gate(held, HALF, None)
    percent = int(found.nearest.removeprefix("costs ").partition("%")[0])
    tried = [costs * (100 - p) / 100 for p in (percent - 1, percent + 1)]
    assert [OptimalGate(RISK, Fraction(2), 30 * DAY, cost).gate(held, HALF, None).opens for cost in tried] == [False, True]
