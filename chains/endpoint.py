"""One JSON-RPC address: asks once, trusts nothing, and is used only while it speaks for the right network.

Every request is sent exactly once; there is no silent retry at any layer (aiohttp re-sends only idempotent
methods, and JSON-RPC is POST). Messages name the endpoint by its trust domain and host, never by its full
address, because providers put access keys into paths.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from chains.errors import RateLimited, Unknowable, Unreachable, WrongNetwork
from chains.jsontext import parse
from chains.settings import EndpointSettings

MAX_BODY = 8 * 1024 * 1024  # bytes; an answer above this is refused, not parsed
AT_ONCE = 16  # requests in flight to one endpoint
DEFAULT_PAUSE = 1.0  # seconds, after a 429 that names none
LONGEST_PAUSE = 60.0

Json = Any  # what json.loads gives; every user checks the shape it needs


@dataclass(frozen=True, slots=True)
class Identity:
    """How an endpoint shows which network it speaks for: the answer of `method`, read as text, must be `expected`."""

    method: str
    expected: str
    read: Callable[[Json], str]


class Refused(Unknowable):
    """The endpoint answered with a JSON-RPC error: `code`, `text` and `data` as it gave them."""

    def __init__(self, where: str, code: int, text: str, data: Json = None) -> None:
        super().__init__(f"{where} answers error {code}: {text[:300]}")
        self.code = code
        self.text = text
        self.data = data


class Endpoint:
    """A lazily opened connection to one address. Safe for concurrent use in one event loop."""

    def __init__(self, settings: EndpointSettings, identity: Identity, timeout: float = 10.0) -> None:
        host = urlsplit(settings.url)
        self.trust_domain = settings.trust_domain
        self.label = f"{settings.trust_domain} ({host.hostname}{f':{host.port}' if host.port else ''})"
        self._url = settings.url
        self._identity = identity
        self._patience = timeout
        self._gap = 1 / settings.per_second
        self._next = 0.0  # loop time before which nothing more is asked
        self._session: aiohttp.ClientSession | None = None
        self._connections = 0  # opened so far
        self._verified = -1  # `_connections` when the identity was last checked
        self._checking = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        return f"Endpoint({self.label})"

    async def ask(self, method: str, params: Sequence[Json]) -> Json:
        """The result of one request. Raises Unreachable, RateLimited, Unknowable (Refused among them), WrongNetwork.

        The identity is checked before the first request and again, before its answer is believed, whenever a request
        opened a new connection: a balancer may put another network behind the same address.
        """
        await self.verify()
        result = await self._request(method, params)
        await self.verify()
        return result

    async def verify(self) -> None:
        """Raise WrongNetwork unless the endpoint speaks for the expected network; asks only when a connection is new."""
        async with self._checking:
            if self._verified == self._connections and self._session is not None:
                return
            answer = await self._request(self._identity.method, [])
            try:
                found = self._identity.read(answer)
            except (ValueError, TypeError):
                raise Unknowable(f"{self.label} answers {self._identity.method} in a wrong shape: {str(answer)[:100]!r}") from None
            if found != self._identity.expected:
                raise WrongNetwork(
                    f"{self.label} speaks for network {found!r}; the configuration says {self._identity.expected!r}. "
                    "Nothing is read from it or sent to it: correct its url, or the chain's id"
                )
            self._verified = self._connections

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _request(self, method: str, params: Sequence[Json]) -> Json:
        number = next(self._ids)
        body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)})
        headers = {"Content-Type": "application/json"}
        async with self._places:
            await self._wait_turn()
            try:
                async with self._opened().post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                    content = await self._body(answer)
                    return self._sorted(answer.status, answer.headers, content, number)
            except (aiohttp.ClientError, TimeoutError, OSError) as problem:
                # Not chained and not printed in full: some of these exceptions carry the whole address.
                raise Unreachable(f"{self.label} does not answer {method}: {_cause(problem)}") from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(self._count_connection)
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._patience), trace_configs=[trace])
        return self._session

    async def _count_connection(self, *_: object) -> None:
        self._connections += 1

    async def _wait_turn(self) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, self._next)
        if start - now > self._patience:
            raise RateLimited(f"{self.label} asked for a pause that is not over", start - now)
        self._next = start + self._gap
        if start > now:
            await asyncio.sleep(start - now)

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in answer.content.iter_chunked(64 * 1024):
            size += len(part)
            if size > MAX_BODY:
                answer.close()
                raise Unknowable(f"{self.label} answers more than {MAX_BODY} bytes")
            parts.append(part)
        return b"".join(parts)

    def _sorted(self, status: int, headers: Mapping[str, str], body: bytes, number: int) -> Json:
        if status == 429:
            raise self._limited(headers.get("Retry-After", ""))
        if status >= 500:
            raise Unreachable(f"{self.label} answers HTTP {status}")
        try:
            envelope = parse(body)
        except ValueError:
            raise Unknowable(f"{self.label} answers HTTP {status} without JSON: {body[:100]!r}") from None
        if isinstance(envelope, dict) and isinstance(envelope.get("error"), dict):
            raise self._refusal(envelope["error"])
        if status != 200:
            raise Unknowable(f"{self.label} answers HTTP {status}: {body[:100]!r}")
        if not isinstance(envelope, dict) or envelope.get("id") != number or "result" not in envelope:
            raise Unknowable(f"{self.label} does not answer the request it was asked: {body[:100]!r}")
        return envelope["result"]

    def _refusal(self, error: Mapping[str, Json]) -> Unknowable | RateLimited:
        code, text = error.get("code"), error.get("message")
        if not isinstance(code, int) or not isinstance(text, str):
            return Unknowable(f"{self.label} answers a malformed error: {str(error)[:200]}")
        if code == 429:
            return self._limited("")
        return Refused(self.label, code, text, error.get("data"))

    def _limited(self, retry_after: str) -> RateLimited:
        after = float(retry_after) if retry_after.isdigit() else None
        pause = min(after if after is not None else DEFAULT_PAUSE, LONGEST_PAUSE)
        self._next = max(self._next, asyncio.get_running_loop().time() + pause)
        return RateLimited(f"{self.label} answers 429 (too many requests)", after)


def _cause(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientConnectorError):
        return str(problem.os_error)
    return "no answer in time" if isinstance(problem, TimeoutError) else type(problem).__name__
