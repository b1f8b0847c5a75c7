"""The frame of an agent: its control endpoint, and what the controls do to every request."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from deploy.localnet.agents.process import Controls, for_ever, open_agent


class Echo:
    """The smallest agent there is."""

    delays_answers = True

    def __init__(self) -> None:
        self.controls = Controls({"loudness": 1})

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/say", self._say)]

    def state(self) -> dict[str, Any]:
        return {"said": self.controls.own["loudness"]}

    async def work(self) -> None:
        await for_ever()

    async def _say(self, _request: web.Request) -> web.Response:
        return web.json_response(self.controls.own["loudness"])


@pytest.fixture
async def url() -> AsyncIterator[str]:
    runner = await open_agent(Echo(), 0)
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def get(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def post(url: str, body: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.json()


async def test_control__asked__shows_controls_and_state(url: str) -> None:
    wanted = {"paused": False, "delay_s": 0.0, "fail_next": 0, "loudness": 1, "state": {"said": 1}}
    assert await get(url + "/control") == (200, wanted)


async def test_control__paused_and_failing__gates_every_route_but_itself(url: str) -> None:
    assert (await post(url + "/control", {"paused": True}))[0] == 200
    assert (await get(url + "/say"))[0] == 503
    await post(url + "/control", {"paused": False, "fail_next": 2})
    assert [(await get(url + "/say"))[0] for _ in range(3)] == [500, 500, 200]
    assert (await post(url + "/control", {"loudness": 9}))[1]["state"] == {"said": 9}


@pytest.mark.parametrize("change", [{"volume": 1}, {"paused": 1}, {"fail_next": "2"}, {"loudness": True}])
async def test_control__unknown_or_wrong__is_refused_and_changes_nothing(url: str, change: dict[str, Any]) -> None:
    before = await get(url + "/control")
    status, body = await post(url + "/control", {"delay_s": 3} | change)
    assert status == 400
    assert next(iter(change)) in body["error"]
    assert await get(url + "/control") == before


def test_controls__whole_number_for_seconds__is_taken() -> None:
    controls = Controls()
    controls.change({"delay_s": 2})
    assert controls.delay_s == 2
