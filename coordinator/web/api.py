"""The JSON API: the same views that `--json` prints, under /api/v1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from coordinator.views import ledger, plan, trace
from coordinator.views.words import Names
from coordinator.web.asking import number
from coordinator.web.stream import stream
from coordinator.web.watcher import Watcher

MOST_ENTRIES = 10_000


class Api:
    """Answers from the newest look; never asks a network."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/status", self.status),
            web.get("/api/v1/plans", self.plans),
            web.get("/api/v1/plans/{id}", self.plan),
            web.get("/api/v1/transfers", self.transfers),
            web.get("/api/v1/transfers/{id}", self.transfer),
            web.get("/api/v1/ledger", self.ledger),
            web.get("/api/v1/events", self.events),
        ]

    async def status(self, request: web.Request) -> web.Response:
        """Null fields stay null; `looked` says when it was seen, `problem` why a later look failed."""
        glance = self._watcher.glance
        if glance.status is None:
            return _refusal(503, glance.problem or "the first look is under way", retry=True)
        return _json({**glance.status, "looked": glance.taken, "stale": self._watcher.stale, "problem": glance.problem})

    async def plans(self, request: web.Request) -> web.Response:
        rows = [
            {"id": run.plan.id, "saga": run.saga.id, "created": run.plan.created, "outcome": run.outcome}
            for run in self._watcher.records.runs
        ]
        return _json({"schema": "coordinator/plans@1", "plans": rows})

    async def plan(self, request: web.Request) -> web.Response:
        run = self._watcher.records.of_plan(request.match_info["id"])
        if run is None:
            return _refusal(404, "no plan of that id was begun here; GET /api/v1/plans lists all")
        return _json({**plan.plan(run.plan, Names(self._watcher.app.treasury)), "saga": run.saga.id, "outcome": run.outcome})

    async def transfers(self, request: web.Request) -> web.Response:
        """Newest run first."""
        return _json({"schema": "coordinator/transfers@1", "transfers": self._watcher.records.rows})

    async def transfer(self, request: web.Request) -> web.Response:
        found = self._watcher.records.of_leg(request.match_info["id"])
        if found is None:
            return _refusal(404, "no leg of that id was begun here; GET /api/v1/transfers lists all")
        run, row = found
        return _json({"schema": trace.SCHEMA, **row, "facts": run.facts.get(row["leg"], ())})

    async def ledger(self, request: web.Request) -> web.Response:
        return _json(ledger.ledger(self._watcher.app, number(request, "last", 20, MOST_ENTRIES)))

    async def events(self, request: web.Request) -> web.StreamResponse:
        return await stream(request, self._watcher)


def _json(view: Mapping[str, Any]) -> web.Response:
    return web.json_response(view, dumps=lambda data: json.dumps(data, ensure_ascii=False))


def _refusal(status: int, why: str, *, retry: bool = False) -> web.Response:
    headers = {"Retry-After": "5"} if retry else {}
    return web.json_response({"error": why}, status=status, headers=headers)
