"""Scripted JSON-RPC servers on loopback: what an endpoint says, how often it was asked, and how it misbehaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from chains.endpoint import Identity
from chains.ids import ChainId
from chains.rpc import EndpointPool
from chains.settings import EndpointSettings, NativeSettings, SimulatedSettings

NETWORK = Identity("net", "here", str)


@dataclass
class Script:
    """Answers by method: a JSON value or a function of the parameters, an error as {"code": …}, or a response made by a function."""

    url: str = ""
    results: dict[str, Any] = field(default_factory=lambda: {"net": "here"})
    errors: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    raw: dict[str, Callable[[int], web.Response]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.read())
        method, number = asked["method"], asked["id"]
        self.asked.append(method)
        if method in self.silent:
            await asyncio.sleep(60)
        if method in self.raw:
            return self.raw[method](number)
        if method in self.errors:
            return web.json_response({"jsonrpc": "2.0", "id": number, "error": self.errors[method]})
        result = self.results.get(method)
        return web.json_response({"jsonrpc": "2.0", "id": number, "result": result(asked["params"]) if callable(result) else result})


MakeScript = Callable[..., Awaitable[Script]]
MakePool = Callable[..., EndpointPool]


@pytest.fixture
async def make_script() -> AsyncIterator[MakeScript]:
    runners: list[web.AppRunner] = []

    async def make(**results: Any) -> Script:
        script = Script()
        script.results.update(results)
        app = web.Application()
        app.router.add_post("/{key:.*}", script.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        script.url = f"http://127.0.0.1:{port}/secret-access-key"
        return script

    yield make
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def make_pool() -> AsyncIterator[MakePool]:
    """A pool over scripts; `domains` names each one's trust domain (by default its own)."""
    pools: list[EndpointPool] = []

    def make(*scripts: Script, quorum: int = 1, domains: str = "abcdefgh", timeout: float = 2.0) -> EndpointPool:
        endpoints = tuple(
            EndpointSettings(url=script.url, trust_domain=domain, per_second=10_000)
            for script, domain in zip(scripts, domains, strict=False)
        )
        native = NativeSettings(asset="ETH", decimals=18, slip44=60)
        settings = SimulatedSettings(
            id=ChainId("eip155", "1"), name="one", endpoints=endpoints, quorum=quorum, native=native, timeout=timeout
        )
        pools.append(EndpointPool(settings, NETWORK))
        return pools[-1]

    yield make
    for pool in pools:
        await pool.aclose()
