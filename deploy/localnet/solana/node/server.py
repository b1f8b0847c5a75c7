"""The node's network face: JSON-RPC over HTTP, subscriptions over WebSocket, automatic slots. Loopback only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from deploy.localnet.solana.node import account_methods, block_methods, control_methods, transaction_methods
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.errors import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MIN_CONTEXT_SLOT,
    PARSE_ERROR,
    LostResponse,
    RpcError,
)
from deploy.localnet.solana.node.methods import Method
from deploy.localnet.solana.node.params import Params
from deploy.localnet.solana.node.subscriptions import Outbox, Subscriptions

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 16 * 1024 * 1024  # a program sent by a control is large
CATCH_UP_SLOTS = 20
METHODS: dict[str, Method] = block_methods.METHODS | account_methods.METHODS | transaction_methods.METHODS | control_methods.METHODS


class Endpoint:
    """Answers requests on one chain; `more` adds methods or replaces them."""

    def __init__(self, chain: Chain, more: Mapping[str, Method]) -> None:
        self._chain = chain
        self._methods = METHODS | dict(more)
        self._subscriptions = Subscriptions(chain)

    def call(self, name: str, values: Any) -> Any:
        """The result of one method. Raises `RpcError` or `LostResponse`."""
        if name in self._chain.faults.fail_methods:
            raise RpcError(*self._chain.faults.fail_methods[name])
        method = self._methods.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        params = Params(values if isinstance(values, list) else [])
        wanted = params.config.get("minContextSlot")
        if wanted is not None and self._chain.slots.at(params.commitment) < wanted:
            slot = self._chain.slots.at(params.commitment)
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot})
        try:
            return method(self._chain, params)
        except (KeyError, ValueError, TypeError) as error:  # a filter without bytes, a slice without length, ...
            raise RpcError(INVALID_PARAMS, f"Invalid params: {error}") from error

    def answer(self, request: Any) -> dict[str, Any]:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            error = RpcError(INVALID_REQUEST, "Invalid request")
            return {"jsonrpc": "2.0", "error": error.to_json(), "id": None}
        try:
            result = self.call(request["method"], request.get("params"))
        except RpcError as error:
            return {"jsonrpc": "2.0", "error": error.to_json(), "id": request.get("id")}
        return {"jsonrpc": "2.0", "result": result, "id": request.get("id")}

    async def http(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.websocket(request)
        try:
            body = await request.json()
        except json.JSONDecodeError:
            error = RpcError(PARSE_ERROR, "Parse error").to_json()
            return web.json_response({"jsonrpc": "2.0", "error": error, "id": None})
        control = isinstance(body, dict) and str(body.get("method")).startswith(control_methods.PREFIX)
        if self._chain.faults.http_status and not control:
            return web.Response(status=self._chain.faults.http_status)
        try:
            answer = [self.answer(each) for each in body] if isinstance(body, list) else self.answer(body)
        except LostResponse:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # nobody hears it
        return web.json_response(answer)

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        frames: asyncio.Queue[str] = asyncio.Queue()
        outbox = frames.put_nowait
        writer = asyncio.create_task(_write(socket, frames))
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._frame(message.data, outbox)
        finally:
            self._subscriptions.remove_all(outbox)
            writer.cancel()
        return socket

    def _frame(self, text: str, outbox: Outbox) -> None:
        """Answer one request of a WebSocket connection; what it subscribes to comes through the same outbox."""
        try:
            request = json.loads(text)
        except json.JSONDecodeError:
            request = None
        name = str(request.get("method")) if isinstance(request, dict) else ""
        if not name.endswith(("Subscribe", "Unsubscribe")):
            outbox(json.dumps(self.answer(request)))
            return
        params, started = Params(request.get("params") or []), None
        try:
            if name.endswith("Unsubscribe"):
                result: int | bool = self._subscriptions.remove(params.number(0))
            else:
                started = self._subscriptions.add(name, params, outbox)
                result = started.number
        except (RpcError, KeyError, TypeError) as error:
            refusal = error if isinstance(error, RpcError) else RpcError(INVALID_PARAMS, f"Invalid params: {error}")
            outbox(json.dumps({"jsonrpc": "2.0", "error": refusal.to_json(), "id": request.get("id")}))
            return
        outbox(json.dumps({"jsonrpc": "2.0", "result": result, "id": request.get("id")}))
        if started is not None:
            self._subscriptions.started(started)


async def _write(socket: web.WebSocketResponse, frames: asyncio.Queue[str]) -> None:
    """One writer a connection keeps frames in order; a closed connection ends it."""
    while not socket.closed:
        frame = await frames.get()
        try:
            await socket.send_str(frame)
        except ConnectionError:
            return


class Server:
    """A chain being served. `url` and `ws_url` tell where; `close` ends it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.url = self.ws_url = ""
        self._runner: web.AppRunner | None = None
        self.clock: asyncio.Task[None] | None = None
        """The automatic slots; it ends only by a fault of the node itself."""

    async def open(self, ports: list[int], more: Mapping[str, Method], auto: bool) -> None:
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_route("*", "/", Endpoint(self.chain, more).http)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        for port in ports:
            await web.TCPSite(self._runner, HOST, port).start()
        opened = [address[1] for address in self._runner.addresses]
        self.url, self.ws_url = f"http://{HOST}:{opened[0]}", f"ws://{HOST}:{opened[-1]}"
        if auto:
            self.clock = asyncio.create_task(_tick_for_ever(self.chain))

    async def close(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _tick_for_ever(chain: Chain) -> None:
    """One slot every `slot_ms`; a busy machine catches up by a bounded number of slots at a time."""
    loop = asyncio.get_running_loop()
    step, due = chain.slots.slot_ms / 1000, loop.time()
    while True:
        due += step
        await asyncio.sleep(max(0.0, due - loop.time()))
        if loop.time() - due > step * CATCH_UP_SLOTS:
            due = loop.time()  # the machine slept; time that nobody saw pass is not made up
        if not chain.frozen:
            chain.tick()


async def serve(
    chain: Chain, port: int = 0, ws_port: int | None = None, *, auto: bool = False, more: Mapping[str, Method] | None = None
) -> Server:
    """Serve a chain on loopback; port 0 is any free one. HTTP and WebSocket both answer on both ports.

    `auto` lets slots pass by themselves; without it only `chain.tick` (or the control method) moves time.
    Raises `OSError` when a port is taken.
    """
    server = Server(chain)
    await server.open([port] if ws_port in (None, port) else [port, ws_port], more or {}, auto)
    return server
