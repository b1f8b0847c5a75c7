"""One Solana endpoint: checked JSON-RPC, plain, with solders' requests and answers, or under solana-py's client.

Only answers already known to be successes reach the solders parsers, and a parser that panics is an answer
that cannot be read.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from chains.endpoint import Endpoint, Identity, Refused
from chains.errors import RateLimited, Unknowable
from chains.ids import ChainId
from chains.settings import EndpointSettings

if TYPE_CHECKING:
    from chains.solana.client import TypedClient

GENESIS_CHARACTERS = 32  # of the genesis hash in a CAIP-2 chain id
_TOO_MANY = -32429  # what some providers answer in place of HTTP 429


def identity(chain: ChainId) -> Identity:
    """An endpoint speaks for the chain when its genesis hash starts with the chain id's reference."""
    return Identity("getGenesisHash", chain.reference, lambda genesis: str(genesis)[:GENESIS_CHARACTERS])


Parsed = TypeVar("Parsed")


class Request(Protocol):
    """A request of `solders.rpc.requests`."""

    def to_json(self) -> str: ...


class Node:
    """An endpoint to ask: `ask` gives the plain JSON result, `parsed` what solders makes of it, `typed` solana-py's methods (for reads)."""

    def __init__(self, chain: ChainId, settings: EndpointSettings, timeout: float = 10.0) -> None:
        self._endpoint = Endpoint(settings, identity(chain), timeout)

    @cached_property
    def typed(self) -> TypedClient:
        from chains.solana.client import TypedClient  # late: a look at the treasury does without solana-py

        return TypedClient(self)

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

    async def parsed(self, request: Request, parser: type[Parsed]) -> Parsed:
        """`parser`: the class of `solders.rpc.responses` that reads this answer. Raises as `ask`, Unknowable when it cannot be read."""
        said = json.loads(request.to_json())
        result = await self.ask(said["method"], *said.get("params", ()))
        answer = json.dumps({"jsonrpc": "2.0", "id": 0, "result": result})
        read: Any = parser
        try:
            found = read.from_json(answer)
        except BaseException as problem:
            if isinstance(problem, Exception) or type(problem).__name__ == "PanicException":  # a Rust panic is a BaseException
                raise Unknowable(f"{self.place} answers what {parser.__name__} cannot be read from") from None
            raise
        if not isinstance(found, parser):
            raise Unknowable(f"{self.place} answers {type(found).__name__} where {parser.__name__} was due")
        return found

    async def aclose(self) -> None:
        await self._endpoint.aclose()
