"""Tests of recorded decisions: written with every look, remembered after a restart, decided again the same; and the commands on them."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from coordinator.commands import backtesting, stress, why_not
from coordinator.commands.backtest_terms import Asked
from coordinator.decisions import FILE, MEMORY, MOST, Decisions
from coordinator.exits import Exit
from coordinator.show.output import Output
from coordinator.turn import look
from policies.breakers.conditions import PriceMove
from policies.breakers.policy import Breaker, Guarded, WayBack
from policies.drift import DriftTrigger, IntervalTrigger
from policies.gates import CoolDown, Gated
from tests.coordinator.rehearsal import Rehearsal

HOUR = 3600


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    made = Rehearsal(tmp_path)
    breaker = Breaker("dying", PriceMove(Fraction(3, 10), 72 * HOUR, Fraction(1, 10)), "no-buy", WayBack(after=24 * HOUR))
    made.treasury = replace(made.treasury, policy=Guarded(made.treasury.policy, (breaker,)))
    return made


def priced(rehearsal: Rehearsal, eth: int) -> None:
    """State another price of ETH from now on."""
    rule = rehearsal.treasury.assets["ETH"]
    stated = replace(rule, sources=(replace(rule.sources[0], value=Fraction(eth)),))  # type: ignore[call-arg]  # a Manual
    rehearsal.treasury = replace(rehearsal.treasury, assets={**rehearsal.treasury.assets, "ETH": stated})


async def seen(rehearsal: Rehearsal) -> Any:
    async with rehearsal.session().app() as app:
        return await look(app)


async def test_look__every_time__records_what_was_decided(rehearsal: Rehearsal) -> None:
    first = await seen(rehearsal)
    await rehearsal.clock.sleep(60)
    second = await seen(rehearsal)
    records = list(Decisions(rehearsal.treasury.database).records())
    assert [record.decision for record in records] == [first.decision, second.decision]
    assert [record.portfolio for record in records] == [first.portfolio, second.portfolio]
    assert (rehearsal.treasury.database.with_name(FILE).stat().st_mode & 0o777) == 0o600


async def test_breaker__new_process__is_still_closed_and_opens_by_its_rule(rehearsal: Rehearsal) -> None:
    await seen(rehearsal)
    await rehearsal.clock.sleep(HOUR)
    priced(rehearsal, 1800)
    fallen = await seen(rehearsal)
    assert list(fallen.targets.closed) == ["dying/ETH"]
    priced(rehearsal, 3000)
    for hours, closed in ((1, True), (22, True), (1, False)):
        await rehearsal.clock.sleep(hours * HOUR)
        assert bool((await seen(rehearsal)).targets.closed) is closed


async def test_replay__recorded_run__same_decisions_until_the_policy_changes(
    rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    for eth in (3000, 1500, 3100):
        priced(rehearsal, eth)
        await seen(rehearsal)
        await rehearsal.clock.sleep(HOUR)
    assert backtesting.replay(rehearsal.treasury, Output(True)) == Exit.OK
    assert json.loads(capsys.readouterr().out)["decisions"] == 3
    other = replace(rehearsal.treasury, trigger=DriftTrigger(Fraction(99, 100)))
    assert backtesting.replay(other, Output(True)) == Exit.ERROR
    assert len(json.loads(capsys.readouterr().out)["different"]) == 3


async def test_why_not__gate_shut__named_with_what_would_open_it(rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    await rehearsal.plan()
    assert await rehearsal.apply() == Exit.OK
    await rehearsal.clock.sleep(60)
    trigger = Gated(IntervalTrigger(1), (CoolDown(10 * HOUR),))
    rehearsal.treasury = replace(rehearsal.treasury, trigger=trigger)
    capsys.readouterr()
    assert await why_not.why_not(rehearsal.session()) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["act"], told["schema"]) == (False, "coordinator/why-not@1")
    assert [gate["name"] for gate in told["stopped_by"]] == ["cool-down"]
    assert told["stopped_by"][0]["nearest"].startswith("at 2026-01-01 10:00")
    assert why_not.last(rehearsal.session(), 1) == Exit.OK
    assert json.loads(capsys.readouterr().out)["decisions"] == [told]


async def test_why_not__time_to_act__exit_says_so(rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    assert await why_not.why_not(rehearsal.session()) == Exit.CHANGES
    assert json.loads(capsys.readouterr().out)["stopped_by"] == []


def test_why_not__nothing_recorded__says_how(rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    assert why_not.last(rehearsal.session(), 5) == Exit.OK
    assert "No decision is recorded yet" in capsys.readouterr().err


async def test_stress__treasury_as_it_is__every_path_and_exit(rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    words = stress.Words("ETH=$5m", "1%", "10m", "10bps", "$1")
    assert await stress.stress(rehearsal.session(), words) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert told["nav"] == 16_000
    assert {row["name"] for row in told["outages"]} == {"alpha", "beta"}
    assert [row["asset"] for row in told["exits"] if row["now"] is None] == ["USDC"]


@pytest.mark.parametrize("depth", ["ETC=$5m", "ETH=5m", "ETH"])
async def test_stress__wrong_depth__is_told(depth: str, rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
    assert await stress.stress(rehearsal.session(), stress.Words(depth, "1%", "10m", "10bps", "$1")) == Exit.USAGE
    assert "found" in capsys.readouterr().err or "no asset" in capsys.readouterr().err or depth == "ETC=$5m"


async def test_look__again_and_again__does_not_make_the_past_longer(rehearsal: Rehearsal) -> None:
    for _ in range(5):
        await seen(rehearsal)
        await rehearsal.clock.sleep(60)
    decisions = Decisions(rehearsal.treasury.database)
    assert len(list(decisions.records())) == 5
    assert len(decisions.past(rehearsal.clock.now(), HOUR)) == 1
    await rehearsal.clock.sleep(60)
    await seen(rehearsal)
    past = decisions.past(rehearsal.clock.now(), HOUR)
    assert past[1].time - past[0].time >= 300


def test_decisions__line_cut_off_by_a_crash__is_left_out(tmp_path: Path) -> None:
    for name in (FILE, MEMORY):
        (tmp_path / name).write_text('{"portfolio": {"time": 5, "pri\n{}\nnonsense\n')
    assert list(Decisions(tmp_path / "journal.sqlite3").records()) == []
    assert Decisions(tmp_path / "journal.sqlite3").past(10, 60) == ()


async def test_decisions__file_too_large__set_aside_and_still_read(rehearsal: Rehearsal) -> None:
    await seen(rehearsal)
    path = rehearsal.treasury.database.with_name(FILE)
    with path.open("a") as file:
        file.write(" " * MOST + "\n")
    await rehearsal.clock.sleep(60)
    await seen(rehearsal)
    assert path.with_name(FILE + ".1").exists()
    assert len(list(Decisions(rehearsal.treasury.database).records())) == 2


PRICES = "time,BTC,ETH\n" + "".join(f"{86_400 * i},{100 + (i % 7) * 9},{10 + (i % 5)}\n" for i in range(60))


def run(tmp_path: Path, asked: Asked, text: str = PRICES) -> Exit:
    (tmp_path / "prices.csv").write_text(text)
    return backtesting.backtest(tmp_path / "prices.csv", asked, None, Output(True), tmp_path / "out.json")


def test_backtest__many_policies__one_tearsheet_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("hold", "threshold:2pp", "two-band:4pp/2pp", "calendar:7d", "cost-bands:5")
    assert run(tmp_path, Asked(names, "BTC=60%,ETH=40%", entry=True)) == Exit.OK
    told = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "out.json").read_text()) == told
    trades = {sheet["policy"]: sheet["rebalances"] for sheet in told["tearsheets"]}
    assert list(trades) == list(names)
    assert trades["hold"] == 0
    assert trades["threshold:2pp"] > trades["two-band:4pp/2pp"] > 0


@pytest.mark.parametrize(
    ("asked", "text", "told"),
    [
        (Asked(("magic",)), PRICES, '"magic" is no policy to backtest; allowed: hold, threshold:5pp'),
        (Asked(("treasury",)), PRICES, "(with --config)"),
        (Asked(("threshold:5%",)), PRICES, "percentage points, as in 5pp"),
        (Asked(("two-band:1pp/2pp",)), PRICES, "cannot stop further out than it starts"),
        (Asked(weights="BTC=60%"), PRICES, "weights sum to 60.0000%; they must sum to 100%"),
        (Asked(weights="SOL=100%"), PRICES, "no prices of SOL; the table has BTC, ETH"),
        (Asked(cost="10"), PRICES, "a rate, as in 50bps"),
        (Asked(), "time,BTC\n1,2\n1,3\n", "is there twice; keep one of the rows"),
        (Asked(), "time,BTC,ETH\n1,2,\n2,,3\n", "no bar at which all of BTC, ETH have a price"),
    ],
)
def test_backtest__bad_words_or_prices__told_in_one_line(
    asked: Asked, text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, asked, text) == Exit.USAGE
    said = capsys.readouterr().err.replace("\n", " ")
    assert told in said


def test_backtest__no_such_file__told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtesting.backtest(tmp_path / "none.csv", Asked(), None, Output(True), None) == Exit.USAGE
    assert "cannot be read" in capsys.readouterr().err
