"""What stands between a browser and the pages: known host names only, reading only, and headers that allow nothing from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from aiohttp import web
from aiohttp.typedefs import Middleware

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def guarded(names: Collection[str]) -> Middleware:
    """A middleware. `names`: host names beside loopback by which the server may be called.

    A request for another name is refused: otherwise a web page elsewhere could point its own name at this address and read along.
    """
    allowed = LOOPBACK | {name.lower() for name in names}

    @web.middleware
    async def middleware(request: web.Request, handler: Answer) -> web.StreamResponse:
        if host_of(request.headers.get("Host", "")) not in allowed:
            raise web.HTTPMisdirectedRequest(
                text="This name is not served here. Allow it with: coordinator serve --name NAME\n", headers=HEADERS
            )
        return await handler(request)

    return middleware


def host_of(header: str) -> str:
    """The name without the port."""
    if header.startswith("["):
        return header.partition("]")[0].lower() + "]"
    return header.partition(":")[0].lower()


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """A signal for every response that is about to go out."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
