"""The event stream: tells pages that there is something newer. It carries marks, no data; a page fetches itself again."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from coordinator.web.watcher import Crowded, Watcher

QUIET = 15.0  # seconds after which a comment shows that the line still stands
PACE = 0.5  # seconds between two events at least
RETRY_MS = 3000


async def stream(request: web.Request, watcher: Watcher) -> web.StreamResponse:
    """Server-sent events until the reader goes away or the server stops."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    try:
        async with watcher.reader() as news:
            await response.prepare(request)
            await response.write(f"retry: {RETRY_MS}\n\n".encode())
            await _tell(response, watcher, news)
    except Crowded as problem:
        return web.Response(status=503, text=f"{problem}\n", headers={"Retry-After": "30"})
    except ConnectionResetError:
        pass  # the reader went away
    return response


async def _tell(response: web.StreamResponse, watcher: Watcher, news: asyncio.Event) -> None:
    while True:
        try:
            async with asyncio.timeout(QUIET):
                await news.wait()
        except TimeoutError:
            await response.write(b": quiet\n\n")
            continue
        if watcher.closing:
            return
        news.clear()
        await response.write(f"event: news\ndata: {json.dumps(watcher.mark)}\n\n".encode())
        await asyncio.sleep(PACE)
