"""AsyncWeb3 over the endpoint pool: web3 encodes and decodes, the pool asks.

None of web3's own transport is used, because it re-sends `eth_sendRawTransaction` silently and follows CCIP-Read
redirects. Faults of the pool pass through web3 untouched.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from hexbytes import HexBytes
from web3 import AsyncWeb3
from web3.middleware import AttributeDictMiddleware
from web3.providers.async_base import AsyncBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from chains.evm import normal
from chains.rpc import Normal

_AT_A_BLOCK = frozenset({"eth_call", "eth_getBalance", "eth_getTransactionCount"})
Ask = Callable[[str, list[Any], Normal], Awaitable[Any]]


class PoolProvider(AsyncBaseProvider):
    """Hands each request to one way of asking (deciding or observing). Refuses to send: sends go through `EndpointPool.broadcast`."""

    global_ccip_read_enabled = False

    def __init__(self, ask: Ask) -> None:
        super().__init__(cache_allowed_requests=False)
        self._ask = ask
        self._ids = itertools.count(1)

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if method.startswith("eth_send"):
            raise TypeError(f"{method} must go through EndpointPool.broadcast, once to each endpoint")
        form = normal.FORMS.get(method, normal.plain)
        result = await self._ask(method, _pinned(method, _jsonable(params)), form)
        return {"jsonrpc": "2.0", "id": next(self._ids), "result": result}

    async def is_connected(self, show_traceback: bool = False) -> bool:
        raise TypeError("ask something that matters instead: the pool checks every connection by itself")


def web3_over(ask: Ask) -> AsyncWeb3[PoolProvider]:
    """A web3 without name service, gas strategies or transaction signing: only encoding, decoding and reading."""
    return AsyncWeb3(PoolProvider(ask), middleware=[AttributeDictMiddleware], ens=None)


def _pinned(method: str, params: list[Any]) -> list[Any]:
    """State at a block hash, written as EIP-1898 says and only while that block is canonical; web3 sends the bare hash."""
    if method in _AT_A_BLOCK and isinstance(params[1], str) and len(params[1]) == 66:
        return [params[0], {"blockHash": params[1], "requireCanonical": True}, *params[2:]]
    return params


def _jsonable(value: Any) -> Any:
    if isinstance(value, HexBytes):
        return value.to_0x_hex()
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {key: _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(inner) for inner in value]
    return value
