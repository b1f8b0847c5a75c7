"""One endpoint: identity on every connection, strict envelopes, limits, and no access key in any message."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from chains.endpoint import MAX_BODY, Endpoint, Refused
from chains.errors import Fault, RateLimited, Unknowable, Unreachable, WrongNetwork
from chains.settings import EndpointSettings

from .conftest import NETWORK, MakeScript, Script


@pytest.fixture
async def script(make_script: MakeScript) -> Script:
    return await make_script(x=1)


@pytest.fixture
async def endpoint(script: Script) -> AsyncIterator[Endpoint]:
    made = Endpoint(EndpointSettings(url=script.url, trust_domain="a", per_second=10_000), NETWORK, timeout=2.0)
    yield made
    await made.aclose()


def envelope(**fields: object) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", **fields})


async def test_ask__steady_connection__identity_is_asked_once(endpoint: Endpoint, script: Script) -> None:
    for _ in range(3):
        assert await endpoint.ask("x", []) == 1
    assert script.asked == ["net", "x", "x", "x"]


async def test_ask__a_new_connection_reaches_another_network__its_answer_is_not_believed(endpoint: Endpoint, script: Script) -> None:
    def hang_up(number: int) -> web.Response:
        answer = envelope(id=number, result=1)
        answer.force_close()  # the next request opens a new connection
        return answer

    script.raw["x"] = hang_up
    assert await endpoint.ask("x", []) == 1
    script.results["net"] = "elsewhere"
    with pytest.raises(WrongNetwork, match=r"a \(127.0.0.1:\d+\)"):
        await endpoint.ask("x", [])


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"id": 999, "result": 1}, Unknowable),
        ({"id": None, "result": 1}, Unknowable),
        ({"error": {"code": "3", "message": "text code"}}, Unknowable),
        ({"error": {"code": -32000, "message": "header not found"}}, Refused),
        ({"error": {"code": 429, "message": "slow"}}, RateLimited),
        ({}, Unknowable),
    ],
)
async def test_ask__odd_envelope__is_sorted(endpoint: Endpoint, script: Script, body: dict[str, object], fault: type[Fault]) -> None:
    script.raw["x"] = lambda number: envelope(**{"id": number, **body})
    with pytest.raises(fault):
        await endpoint.ask("x", [])


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (lambda: web.Response(body=b"<html>"), Unknowable),
        (lambda: web.Response(body=b"[" * 100_000), Unknowable),
        (lambda: web.Response(body=b"x" * (MAX_BODY + 1)), Unknowable),
        (lambda: web.Response(status=502), Unreachable),
        (lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:9/"}), Unknowable),
        (lambda: web.Response(status=403, body=b"{}"), Unknowable),
    ],
    ids=["html", "deep", "big", "502", "redirect", "403"],
)
async def test_ask__odd_response__is_sorted(endpoint: Endpoint, script: Script, response: type[web.Response], fault: type[Fault]) -> None:
    script.raw["x"] = lambda _: response()
    with pytest.raises(fault) as raised:
        await endpoint.ask("x", [])
    assert not isinstance(raised.value, Refused)


async def test_ask__large_answer_in_many_chunks__is_read_whole(endpoint: Endpoint, script: Script) -> None:
    script.results["x"] = "ab" * 1_000_000
    assert await endpoint.ask("x", []) == "ab" * 1_000_000


async def test_ask__429_with_retry_after__says_how_long_and_is_not_asked_again_before(endpoint: Endpoint, script: Script) -> None:
    script.raw["x"] = lambda _: web.Response(status=429, headers={"Retry-After": "30"})
    with pytest.raises(RateLimited) as first:
        await endpoint.ask("x", [])
    with pytest.raises(RateLimited):
        await endpoint.ask("x", [])
    assert first.value.after == 30
    assert script.asked.count("x") == 1


async def test_ask__silence__unreachable_after_one_attempt(script: Script) -> None:
    script.silent.add("x")
    endpoint = Endpoint(EndpointSettings(url=script.url, trust_domain="a"), NETWORK, timeout=0.3)
    with pytest.raises(Unreachable, match="no answer in time"):
        await endpoint.ask("x", [])
    await endpoint.aclose()
    assert script.asked.count("x") == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/secret-access-key", "http://user:secret-access-key@127.0.0.1:9/"])
async def test_ask__dead_address__message_and_repr_hold_no_access_key(url: str) -> None:
    given = EndpointSettings(url=url, trust_domain="a")
    endpoint = Endpoint(given, NETWORK)
    with pytest.raises(Unreachable) as raised:
        await endpoint.ask("x", [])
    await endpoint.aclose()
    assert raised.value.__cause__ is None
    assert "secret" not in f"{raised.value} {raised.value!r} {endpoint!r} {given!r} {given}"
    assert "a (127.0.0.1:9)" in str(raised.value)
