"""One Solana endpoint: checked JSON-RPC, and solana-py's typed client riding on it.

solana-py's own transport is not used, because at it (0.41) an error code that solders does not know comes
back as an `int` instead of an exception, an error without `data` raises a Rust panic that is a
`BaseException`, the HTTP status is hidden and requests are repeated unasked. Here only answers already
known to be successes reach the solders parsers, and a parser that panics is an answer that cannot be read.
"""

from __future__ import annotations

import json
from typing import Any

from solana.rpc.async_api import AsyncClient
from solana.rpc.async_http_provider import AsyncHTTPProvider
from solana.rpc.commitment import Finalized

from chains.endpoint import Endpoint, Identity, Refused
from chains.errors import RateLimited, Unknowable
from chains.ids import ChainId
from chains.settings import EndpointSettings

GENESIS_CHARACTERS = 32  # of the genesis hash in a CAIP-2 chain id
_TOO_MANY = -32429  # what some providers answer in place of HTTP 429


def identity(chain: ChainId) -> Identity:
    """An endpoint speaks for the chain when its genesis hash starts with the chain id's reference."""
    return Identity("getGenesisHash", chain.reference, lambda genesis: str(genesis)[:GENESIS_CHARACTERS])


class Node:
    """An endpoint to ask: `ask` gives the plain JSON result, `typed` solana-py's methods (for reads)."""

    def __init__(self, chain: ChainId, settings: EndpointSettings, timeout: float = 10.0) -> None:
        self._endpoint = Endpoint(settings, identity(chain), timeout)
        self.typed = TypedClient(self)

    @property
    def trust_domain(self) -> str:
        return self._endpoint.trust_domain

    @property
    def place(self) -> str:
        return self._endpoint.label

    def __repr__(self) -> str:
        return f"Node({self.place})"

    async def ask(self, method: str, *params: object) -> Any:
        """Raises Unreachable, RateLimited, Unknowable (endpoint.Refused among them) or WrongNetwork."""
        try:
            return await self._endpoint.ask(method, params)
        except Refused as refusal:
            if refusal.code == _TOO_MANY:
                raise RateLimited(f"{self.place} says too many requests") from None
            raise

    async def aclose(self) -> None:
        await self._endpoint.aclose()


class _CheckedProvider(AsyncHTTPProvider):
    """solana-py's provider with the network part replaced: errors never reach the solders parsers."""

    def __init__(self, node: Node) -> None:  # opens no session, unlike its parent
        self._node = node

    async def make_request(self, body: Any, parser: Any) -> Any:
        answer = await self.make_request_unparsed(body)
        try:
            parsed = parser.from_json(answer)
        except BaseException as problem:
            if isinstance(problem, Exception) or type(problem).__name__ == "PanicException":  # a Rust panic is a BaseException
                raise Unknowable(f"{self._node.place} answers what {parser.__name__} cannot be read from") from None
            raise
        if not isinstance(parsed, parser):
            raise Unknowable(f"{self._node.place} answers {type(parsed).__name__} where {parser.__name__} was due")
        return parsed

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
