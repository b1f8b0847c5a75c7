"""The event stream: where things stand at once, then every change; readers are counted."""

from __future__ import annotations

import asyncio
import json

from aiohttp import ClientResponse

from coordinator.web import watcher as module
from tests.coordinator.web.conftest import Desk


async def news(answer: ClientResponse) -> dict:
    """The next event's data. Comments are skipped."""
    async with asyncio.timeout(10):
        while True:
            line = (await answer.content.readline()).decode()
            if line.startswith("data: "):
                return json.loads(line.removeprefix("data: "))


async def test_events__connect__told_at_once_where_things_stand(desk: Desk):
    await desk.watcher.look()
    async with desk.client.get("/api/v1/events") as answer:
        assert answer.content_type == "text/event-stream"
        assert await news(answer) == {"looked": desk.app.clock.now(), "events": 0, "problem": ""}


async def test_events__something_is_written__told(desk: Desk):
    async with desk.client.get("/api/v1/events") as answer:
        assert (await news(answer))["looked"] is None
        await desk.turn()
        told = await news(answer)
        assert told["looked"] == desk.app.clock.now()
        assert told["events"] == desk.app.journal.extent()[1] > 0


async def test_events__reader_leaves__its_place_is_free(desk: Desk, monkeypatch):
    monkeypatch.setattr(module, "MOST_READERS", 1)
    async with desk.client.get("/api/v1/events") as answer:
        await news(answer)
        async with desk.client.get("/api/v1/events") as second:
            assert second.status == 503
            assert second.headers["Retry-After"] == "30"
    async with asyncio.timeout(10):
        while True:
            await desk.watcher.look()  # the next word finds that the line is gone
            async with desk.client.get("/api/v1/events") as third:
                if third.status == 200:
                    break
            await asyncio.sleep(0.05)
