"""What a browser may not do here: other names, other methods, and headers that hold on every answer."""

from __future__ import annotations

import pytest

from coordinator.web.security import HEADERS, host_of
from tests.coordinator.web.conftest import Desk

EVERY = ["/", "/nowhere", "/api/v1/status", "/api/v1/nothing", "/metrics", "/healthz", "/static/style.css", "/ledger?last=x"]


@pytest.mark.parametrize("path", EVERY)
async def test_headers__any_answer__all_of_them(desk: Desk, path: str):
    async with desk.client.get(path) as answer:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8787", "", "ops.example.evil.example"])
async def test_host__another_name__refused_before_anything_is_shown(desk: Desk, host: str):
    await desk.watcher.look()
    async with desk.client.get("/", headers={"Host": host}) as answer:
        assert answer.status == 421
        assert "16,000" not in await answer.text()


@pytest.mark.parametrize("host", ["localhost:8787", "127.0.0.1", "[::1]:8787", "OPS.example", "ops.example:443"])
async def test_host__loopback_or_named__served(desk: Desk, host: str):
    async with desk.client.get("/", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_method__other_than_reading__405_everywhere(desk: Desk, method: str):
    for path in ("/", "/plans", "/ledger", "/api/v1/status", "/api/v1/events", "/metrics"):
        async with desk.client.request(method, path) as answer:
            assert answer.status == 405, path


@pytest.mark.parametrize(("header", "host"), [("[::1]:80", "[::1]"), ("A.b:1", "a.b"), ("[::1", "[::1]"), ("", ""), (":80", "")])
def test_host_of__header__the_name_alone(header: str, host: str):
    assert host_of(header) == host
