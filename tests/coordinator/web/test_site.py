"""Pages: what each shows in each situation, and that none needs or allows anything from outside."""

from __future__ import annotations

import re

import pytest

from chains.ids import TokenId
from coordinator.saga.machine import Parked
from tests.coordinator.rehearsal import ALPHA, USDC_A
from tests.coordinator.web.conftest import Desk

UNREAD = (None, TokenId(ALPHA, "erc20", USDC_A))


async def test_pages__after_a_run__all_answer_with_their_heading(desk: Desk):
    await desk.turn()
    assert len(desk.addresses) > 11
    for address in desk.addresses:
        text = await desk.text(address)
        assert text.count("<h1>") == 1, address
        assert "This page only looks" in text


async def test_pages__before_the_first_look__say_that_it_is_under_way(desk: Desk):
    for address in ("/", "/holdings", "/policy", "/ledger"):
        assert "for the first time" in await desk.text(address), address
    assert "No plan was begun yet" in await desk.text("/plans")
    assert "looked never" in await desk.text("/")


async def test_pages__any__no_inline_style_or_script_and_nothing_from_elsewhere(desk: Desk):
    await desk.turn()
    for address in desk.addresses:
        text = await desk.text(address)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", text), address
        assert all(link.startswith("/") or link.startswith("#") for link in re.findall(r'(?:href|src)="([^"]*)"', text)), address


async def test_pages__links__lead_to_pages_that_exist(desk: Desk):
    await desk.turn()
    links = {link for address in desk.addresses for link in re.findall(r'href="(/[^"]*)"', await desk.text(address))}
    assert {"/holdings", "/api/v1/status", "/metrics"} <= links
    for link in links:
        await desk.text(link.replace("&amp;", "&"))


async def test_overview__out_of_band__says_so_and_why(desk: Desk):
    await desk.watcher.look()
    text = await desk.text("/")
    assert "OutOfSync" in text
    assert "SIMULATED" in text
    assert "$16,000.00" in text
    assert "It is time to act" in text


async def test_overview__after_a_run__in_sync_with_its_events_and_the_daemon(desk: Desk):
    await desk.turn()
    text = await desk.text("/")
    assert '<span class="badge good">InSync</span>' in text
    assert "arrived" in text
    assert "Nothing. No leg waits for a person" in text


async def test_overview__a_look_fails_after_a_good_one__shows_the_old_one_with_the_reason(desk: Desk):
    await desk.watcher.look()
    desk.rehearsal.alpha.faults.unread.add(UNREAD)
    await desk.watcher.look()
    text = await desk.text("/")
    assert "The last look failed" in text
    assert "could not be read" in text
    assert "$16,000.00" in text


async def test_overview__a_price_ends__nav_unknown_and_a_person_is_asked(desk: Desk):
    desk.rehearsal.clock.advance(200 * 365 * 86_400)
    await desk.watcher.look()
    text = await desk.text("/")
    assert "ETH has no price" in text
    assert '<span class="badge warn">Unknown</span>' in text
    assert "$0.00" not in text.partition("<dt>NAV</dt>")[2].partition("</dd>")[0]
    for address in desk.addresses:
        await desk.text(address)


async def test_overview__a_leg_is_parked__it_is_told_first_with_the_next_command(desk: Desk):
    saga = desk.app.journal.begin(await desk.rehearsal.plan(write=False))
    desk.app.journal.record(saga.id, next(iter(saga.legs.values())), [Parked('a <script>alert("x")</script> answer')])
    await desk.watcher.look()
    text = await desk.text("/")
    assert "needs you" in text
    assert f"coordinator unpark {next(iter(saga.legs))[:8]}" in text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
    for address in desk.addresses:
        assert "<script>alert" not in await desk.text(address)


async def test_plan__begun__before_after_legs_and_drawings(desk: Desk):
    await desk.turn()
    text = await desk.text(f"/plans/{desk.watcher.records.runs[0].plan.id}")
    assert 'class="sankey"' in text
    assert 'class="routes"' in text
    assert "proven: no plan has fewer" in text
    assert "If a leg stops" in text


async def test_plan__first_characters_of_its_id__enough(desk: Desk):
    await desk.turn()
    plan = desk.watcher.records.runs[0].plan.id
    assert plan in await desk.text(f"/plans/{plan[:12]}")
    await desk.text(f"/plans/{plan[:4]}", status=404)


async def test_run__under_way__timeline_goes_on_until_now(desk: Desk):
    desk.app.journal.begin(await desk.rehearsal.plan(write=False))
    await desk.watcher.look()
    text = await desk.text(f"/runs/{desk.watcher.records.runs[0].saga.id}")
    assert "still going" in text
    assert "under way" in text


async def test_transfer__delivered__every_fact_with_its_transaction(desk: Desk):
    await desk.turn()
    run = desk.watcher.records.runs[0]
    row = run.rows[0]
    text = await desk.text(f"/transfers/{row['leg']}")
    for fact in run.facts[row["leg"]]:
        assert fact["reference"] in text
    assert "It rests on beta." in text
    assert "transit:" in text


@pytest.mark.parametrize("address", ["/plans/nothing-here", "/runs/s-1", "/transfers/abc", "/nowhere", "/%3Cscript%3E"])
async def test_unknown_address__page__404_that_leads_back_and_repeats_nothing(desk: Desk, address: str):
    text = await desk.text(address, status=404)
    assert "Go on here" in text
    assert "<script>" not in text


@pytest.mark.parametrize(
    "address", ["/transfers?state=lost", "/ledger?last=0", "/ledger?last=1e9", "/ledger?account=x", "/audit?before=-1"]
)
async def test_query__makes_no_sense__400_that_says_what_is_allowed(desk: Desk, address: str):
    assert "allowed" in (await desk.json(address, status=400))["error"]


@pytest.mark.parametrize("name", ["nothing.css", "..%2Fsite.py", "%2e%2e%2ftemplates%2fbase.html", "style.css%00"])
async def test_static__other_than_ours__404(desk: Desk, name: str):
    await desk.text(f"/static/{name}", status=404)


async def test_static__named_by_content__kept_for_ever(desk: Desk):
    link = re.search(r"/static/style\.css\?v=[0-9a-f]{12}", await desk.text("/"))
    assert link
    async with desk.client.get(link[0]) as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]


async def test_audit__whole_journal__verified_and_listed(desk: Desk):
    await desk.turn()
    text = await desk.text("/audit")
    count = desk.app.journal.extent()[1]
    assert f"Every one of {count} events follows" in text
    assert f'<td class="num">{count}</td>' not in await desk.text(f"/audit?before={count}")


async def test_healthz__looks_succeed_and_then_stop__200_then_503(desk: Desk):
    await desk.text("/healthz", status=503)
    await desk.watcher.look()
    assert await desk.text("/healthz") == "ok\n"
    desk.rehearsal.clock.advance(3600)
    await desk.text("/healthz", status=503)


async def test_policy__daemon_has_run__its_turns_and_gates_are_told(desk: Desk):
    await desk.turn()
    text = await desk.text("/policy")
    assert "delivered" in text
    assert "every band holds" in text
    assert "given in a day" in text
