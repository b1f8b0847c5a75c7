"""Fixtures of the rails' tests: a small HTTP API on loopback whose answers a test writes itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bridges.http import Http


class Api:
    """Answers by "METHOD /path?query"; everything not written down is 404. `asked` is what was requested, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._answers: dict[str, tuple[int, bytes, dict[str, str]]] = {}

    def says(self, request: str, answer: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self._answers[request] = (status, body, headers or {})

    async def serve(self, request: web.Request) -> web.Response:
        asked = f"{request.method} {request.path_qs}"
        self.asked.append(asked)
        status, body, headers = self._answers.get(asked, (404, b"{}", {}))
        return web.Response(status=status, body=body, headers=headers, content_type="application/json")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    served = Api()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.serve)
    async with TestServer(app, host="127.0.0.1") as server:
        served.url = str(server.make_url("")).rstrip("/")
        yield served


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(timeout=2.0) as client:
        yield client
