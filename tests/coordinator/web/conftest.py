"""A dashboard over a treasury in memory, asked through a real HTTP connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from coordinator.app import App
from coordinator.daemon.actor import Actor
from coordinator.daemon.turns import Turns
from coordinator.daemon.voice import Voice
from coordinator.web.site import build
from coordinator.web.watcher import Watcher
from tests.coordinator.rehearsal import Rehearsal


@dataclass
class Desk:
    """`client` talks to the site over `watcher`, which looks only when a test says so."""

    rehearsal: Rehearsal
    app: App
    watcher: Watcher
    client: TestClient

    async def text(self, path: str, status: int = 200) -> str:
        async with self.client.get(path) as answer:
            assert answer.status == status, await answer.text()
            return await answer.text()

    async def json(self, path: str, status: int = 200) -> dict:
        async with self.client.get(path) as answer:
            assert answer.status == status
            assert answer.content_type == "application/json"
            return await answer.json()

    async def turn(self) -> None:
        """The daemon acts once, and the watcher looks at what it made."""
        turn = await Actor(self.app, Voice(self.app.clock)).turn()
        Turns(self.app.treasury.database).append(turn)
        await self.watcher.look()

    @property
    def addresses(self) -> list[str]:
        """Every page there is."""
        pages = ["/", "/holdings", "/policy", "/plans", "/transfers", "/transfers?state=open", "/ledger", "/network", "/audit"]
        for run in self.watcher.records.runs:
            pages += [f"/plans/{run.plan.id}", f"/runs/{run.saga.id}", *(f"/transfers/{row['leg']}" for row in run.rows)]
        return pages


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    rehearsal = Rehearsal(tmp_path)
    async with rehearsal.session().app() as app:
        watcher = Watcher(app)
        async with TestClient(TestServer(build(watcher, ["ops.example"]))) as client:
            yield Desk(rehearsal, app, watcher, client)
