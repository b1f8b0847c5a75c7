"""solana-py's typed client over a checked endpoint, for what is read while a transaction is prepared.

solana-py's own transport is not used, because at it (0.41) an error code that solders does not know comes
back as an `int` instead of an exception, an error without `data` raises a Rust panic that is a
`BaseException`, the HTTP status is hidden and requests are repeated unasked.
"""

from __future__ import annotations

import json
from typing import Any

from solana.rpc.async_api import AsyncClient
from solana.rpc.async_http_provider import AsyncHTTPProvider
from solana.rpc.commitment import Finalized

from chains.solana.transport import Node


class _CheckedProvider(AsyncHTTPProvider):
    """solana-py's provider with the network part replaced: errors never reach the solders parsers."""

    def __init__(self, node: Node) -> None:  # opens no session, unlike its parent
        self._node = node

    async def make_request(self, body: Any, parser: Any) -> Any:
        return await self._node.parsed(body, parser)

    async def make_request_unparsed(self, body: Any) -> str:
        request = json.loads(body.to_json())
        result = await self._node.ask(request["method"], *request.get("params", ()))
        return json.dumps({"jsonrpc": "2.0", "id": 0, "result": result})

    async def close(self) -> None:
        await self._node.aclose()


class TypedClient(AsyncClient):
    """solana-py's async client over a checked `Node`. For reads only: sending goes through `Node.ask`."""

    def __init__(self, node: Node) -> None:
        super(AsyncClient, self).__init__(Finalized)  # not AsyncClient.__init__, which opens a session of its own
        self._provider = _CheckedProvider(node)
