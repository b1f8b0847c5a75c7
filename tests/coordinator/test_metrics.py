"""Metrics: right numbers, names that alerts and board may count on, and no value where there is none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from coordinator.saga.machine import Parked
from tests.coordinator.web.conftest import Desk, desk  # noqa: F401 - the fixture

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"coordinator_[a-z_]+")


async def samples(desk: Desk) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:  # noqa: F811
    text = await desk.text("/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics__before_the_first_look__no_nav_rather_than_zero(desk: Desk):  # noqa: F811
    found = {name for name, _ in await samples(desk)}
    assert "coordinator_build_info" in found
    assert "coordinator_nav_usd" not in found
    assert "coordinator_heartbeat_timestamp_seconds" not in found


async def test_metrics__after_a_run__as_the_views_say(desk: Desk):  # noqa: F811
    await desk.turn()
    found = await samples(desk)
    status = await desk.json("/api/v1/status")
    assert f"{found['coordinator_nav_usd', (('portfolio', 'rehearsal'),)]:.2f}" == status["nav"]
    assert found["coordinator_drift_ratio", (("asset", "USDC"),)] == 0
    assert found["coordinator_conservation_residual_usd", ()] == 0
    assert found["coordinator_leg_total", (("kind", "bridge"), ("outcome", "delivered"))] == len(desk.watcher.records.rows)
    assert found["coordinator_plan_total", (("outcome", "delivered"),)] == 1
    assert found["coordinator_turn_outcome", (("outcome", "delivered"),)] == 1
    assert found["coordinator_legs_parked", ()] == 0


async def test_metrics__a_leg_under_way__its_value_and_age(desk: Desk):  # noqa: F811
    saga = desk.app.journal.begin(await desk.rehearsal.plan(write=False))
    desk.app.journal.record(saga.id, next(iter(saga.legs.values())), [Parked("look at it")])
    await desk.watcher.look()
    desk.rehearsal.clock.advance(100)
    found = await samples(desk)
    assert found["coordinator_legs_parked", ()] == 1
    assert found["coordinator_in_flight_usd", (("bridge", "simulated-bridge"),)] > 2_000
    ages = [value for (name, _), value in found.items() if name == "coordinator_transfer_age_seconds"]
    assert min(ages) >= 100


def shipped(name: str) -> set[str]:
    """Every metric that a shipped file asks for."""
    return set(NAME.findall((DEPLOY / name).read_text("utf-8")))


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
async def test_shipped_files__metric_names__all_exported(desk: Desk, name: str):  # noqa: F811
    second = await desk.rehearsal.plan(write=False)
    desk.rehearsal.clock.advance(1)
    await desk.turn()
    saga = desk.app.journal.begin(second)
    desk.app.journal.record(saga.id, next(iter(saga.legs.values())), [Parked("look at it")])
    await desk.watcher.look()
    exported = {found for found, _ in await samples(desk)}
    assert shipped(name) - exported == set()


def test_alerts__each__says_what_and_what_to_do():
    groups = YAML(typ="safe").load(DEPLOY / "alerts.yaml")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 9
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "description"}


def test_board__panels__each_asks_something_and_none_overlap():
    panels = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))["panels"]
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    cells = [
        (x, y)
        for p in panels
        for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
        for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
