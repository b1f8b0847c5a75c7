"""One JSON client for every rail's API: sorted errors, size cap, time limit, no silent retry."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from chains.errors import RateLimited, Unknowable, Unreachable
from chains.jsontext import parse

if TYPE_CHECKING:
    import aiohttp  # imported when the first question is asked: reading a configuration must stay quick

MAX_BODY = 8 * 1024 * 1024  # bytes; an answer above this is refused, not parsed


class Http:
    """A lazily opened aiohttp session. Answers are parsed JSON; None stands for 404, which most APIs mean as "not yet"."""

    def __init__(self, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> Any | None:
        """Raises Unreachable (no answer, 5xx), RateLimited (429), Unknowable (an answer that is not what was asked for)."""
        return await self._ask("GET", url, params=params)

    async def post(self, url: str, body: object) -> Any | None:
        return await self._ask("POST", url, json=body)

    async def _ask(self, method: str, url: str, **options: Any) -> Any | None:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout))
        try:
            async with self._session.request(method, url, **options) as answer:
                body = await _body(answer)
                return _sorted(url, answer.status, answer.headers, body)
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise Unreachable(f"{url} does not answer: {_cause(problem)}") from problem

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def __aenter__(self) -> Http:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """The whole answer, or a little more than MAX_BODY of it. `content.read(n)` would stop at the first chunk that arrived."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BODY:
            break
    return bytes(body)


def _sorted(url: str, status: int, headers: Mapping[str, str], body: bytes) -> Any | None:
    if status == 404:
        return None
    if status == 429:
        wait = headers.get("Retry-After", "")
        raise RateLimited(f"{url} answers 429 (too many requests)", float(wait) if wait.isdigit() else None)
    if status >= 500:
        raise Unreachable(f"{url} answers {status}")
    if status >= 400:
        raise Unknowable(f"{url} answers {status}: {body[:300].decode(errors='replace')}")
    if len(body) > MAX_BODY:
        raise Unknowable(f"{url} answers more than {MAX_BODY} bytes")
    try:
        return parse(body)
    except ValueError:
        raise Unknowable(f"{url} does not answer JSON: {body[:100]!r}") from None


def _cause(problem: Exception) -> str:
    """In the system's own words where there are any: aiohttp's repeat the address and its own settings."""
    import aiohttp

    if isinstance(problem, aiohttp.ClientConnectorError):
        return problem.os_error.strerror or "no connection"
    return f"{type(problem).__name__} {problem}".strip()
