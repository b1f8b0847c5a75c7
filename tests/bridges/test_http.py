"""Http: every kind of answer becomes the fault that says what may be done next."""

from __future__ import annotations

import pytest

from bridges.http import MAX_BODY, Http
from chains.errors import RateLimited, Unknowable, Unreachable


async def test_get__json_answer__is_parsed(api, http):
    api.says("GET /fees?a=1", {"bps": 1})
    assert await http.get(f"{api.url}/fees", {"a": "1"}) == {"bps": 1}


async def test_get__answer_in_many_chunks__is_read_whole(api, http):
    api.says("GET /long", ["x" * 1000] * 2000)
    assert len(await http.get(f"{api.url}/long")) == 2000


async def test_post__json_body__is_answered(api, http):
    api.says("POST /again", {"ok": True})
    assert await http.post(f"{api.url}/again", {}) == {"ok": True}


async def test_get__404__is_none(api, http):
    assert await http.get(f"{api.url}/nowhere") is None


@pytest.mark.parametrize(("header", "after"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), (None, None)])
async def test_get__429__says_how_long_to_wait(api, http, header, after):
    api.says("GET /busy", {}, status=429, headers={"Retry-After": header} if header else None)
    with pytest.raises(RateLimited) as fault:
        await http.get(f"{api.url}/busy")
    assert fault.value.after == after


@pytest.mark.parametrize(("status", "fault"), [(500, Unreachable), (503, Unreachable), (400, Unknowable), (403, Unknowable)])
async def test_get__error_status__is_sorted(api, http, status, fault):
    api.says("GET /broken", {"error": "no such route"}, status=status)
    with pytest.raises(fault, match=str(status)):
        await http.get(f"{api.url}/broken")


async def test_get__not_json__is_unknowable(api, http):
    api.says("GET /page", b"<html>maintenance</html>")
    with pytest.raises(Unknowable, match="does not answer JSON"):
        await http.get(f"{api.url}/page")


async def test_get__json_nested_without_end__is_unknowable_and_the_process_lives(api, http):
    api.says("GET /deep", b"[" * 200_000)
    with pytest.raises(Unknowable, match="does not answer JSON"):
        await http.get(f"{api.url}/deep")


async def test_get__oversized_answer__is_refused_unparsed(api, http):
    api.says("GET /flood", b'"' + b"a" * MAX_BODY + b'"')
    with pytest.raises(Unknowable, match="more than"):
        await http.get(f"{api.url}/flood")


async def test_get__nobody_listens__is_unreachable(http):
    with pytest.raises(Unreachable, match="does not answer"):
        await http.get("http://127.0.0.1:1/")


async def test_get__after_aclose__opens_a_new_session(api):
    api.says("GET /fees", [])
    client = Http()
    assert await client.get(f"{api.url}/fees") == []
    await client.aclose()
    assert await client.get(f"{api.url}/fees") == []
    await client.aclose()
