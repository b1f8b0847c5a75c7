"""A proxy on loopback that passes requests on, and can lose the answer to one: what a cut connection looks like."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer


class Proxy:
    """`lose`: name of a JSON-RPC method whose next answer is lost."""

    def __init__(self, target: str) -> None:
        self.url = ""
        self.lose = ""
        self._target = target

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._target, data=body, headers={"Content-Type": "application/json"}) as answer,
        ):
            text = await answer.read()
        if self.lose and self.lose.encode() in body:
            self.lose = ""
            assert request.transport is not None
            request.transport.abort()
        return web.Response(body=text, status=answer.status, content_type="application/json")


@asynccontextmanager
async def proxy(target: str) -> AsyncIterator[Proxy]:
    made = Proxy(target)
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_post("/", made.pass_on)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("/"))
        yield made
