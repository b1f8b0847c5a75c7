"""The site: which address shows which page, put together from a watcher."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from coordinator.metrics import exposition
from coordinator.web.api import Api
from coordinator.web.asking import choice, number
from coordinator.web.pages import audit, holdings, ledger, network, overview, plans, policy, transfers
from coordinator.web.pages.frame import frame
from coordinator.web.rendering import Rendering
from coordinator.web.security import Answer, add_headers, guarded
from coordinator.web.watcher import Watcher

FOREVER = "public, max-age=31536000, immutable"
ACCOUNTS = ("wallet", "transit", "expense", "exchange", "equity")


class Site:
    """Pages for people. Whatever a page shows was seen before the request came."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._rendering = Rendering()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.overview),
            web.get("/holdings", self.holdings),
            web.get("/policy", self.policy),
            web.get("/plans", self.plans),
            web.get("/plans/{id}", self.plan),
            web.get("/runs/{id}", self.run),
            web.get("/transfers", self.transfers),
            web.get("/transfers/{id}", self.transfer),
            web.get("/ledger", self.ledger),
            web.get("/network", self.network),
            web.get("/audit", self.audit),
            web.get("/static/{name}", self.static),
            web.get("/metrics", self.metrics),
            web.get("/healthz", self.healthy),
        ]

    async def overview(self, request: web.Request) -> web.Response:
        return self._page("overview", "overview.html", overview.overview(self._watcher))

    async def holdings(self, request: web.Request) -> web.Response:
        return self._page("holdings", "holdings.html", holdings.holdings(self._watcher))

    async def policy(self, request: web.Request) -> web.Response:
        return self._page("policy", "policy.html", policy.policy(self._watcher))

    async def plans(self, request: web.Request) -> web.Response:
        return self._page("plans", "plans.html", plans.plans(self._watcher))

    async def plan(self, request: web.Request) -> web.Response:
        found = self._watcher.records.of_plan(request.match_info["id"])
        if found is None:
            return self._missing("No plan of that id was begun here.", "/plans")
        return self._page("plans", "plan.html", plans.plan(self._watcher, found))

    async def run(self, request: web.Request) -> web.Response:
        found = self._watcher.records.of_saga(request.match_info["id"])
        if found is None:
            return self._missing("There is no run of that name.", "/plans")
        return self._page("plans", "run.html", transfers.run(self._watcher, found))

    async def transfers(self, request: web.Request) -> web.Response:
        state = choice(request, "state", ("open", *transfers.STATES))
        return self._page("transfers", "transfers.html", transfers.transfers(self._watcher, state))

    async def transfer(self, request: web.Request) -> web.Response:
        found = self._watcher.records.of_leg(request.match_info["id"])
        if found is None:
            return self._missing("There is no transfer of that id.", "/transfers")
        return self._page("transfers", "transfer.html", transfers.transfer(self._watcher, *found))

    async def ledger(self, request: web.Request) -> web.Response:
        kind, last = choice(request, "account", ACCOUNTS), number(request, "last", 30, ledger.MOST)
        return self._page("ledger", "ledger.html", ledger.ledger(self._watcher, kind, last))

    async def network(self, request: web.Request) -> web.Response:
        return self._page("network", "network.html", network.network(self._watcher))

    async def audit(self, request: web.Request) -> web.Response:
        before = number(request, "before", 0, 999_999_999) or None
        return self._page("audit", "audit.html", audit.audit(self._watcher, before))

    async def static(self, request: web.Request) -> web.Response:
        found = self._rendering.statics.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found.body, content_type=found.kind, charset="utf-8", headers={"Cache-Control": FOREVER})

    async def metrics(self, request: web.Request) -> web.Response:
        body, kind = exposition(self._watcher)
        return web.Response(body=body, headers={"Content-Type": kind})

    async def healthy(self, request: web.Request) -> web.Response:
        """200 while looks succeed, 503 when the newest good one is too old."""
        if self._watcher.stale:
            raise web.HTTPServiceUnavailable(text=f"{self._watcher.glance.problem or 'no look yet'}\n")
        return web.Response(text="ok\n")

    def _page(self, page: str, template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
        text = self._rendering.page(template, {**frame(self._watcher, page), **values})
        return web.Response(text=text, content_type="text/html", status=status)

    def _missing(self, what: str, where: str) -> web.Response:
        return self._page("", "missing.html", {"what": what, "where": where}, status=404)

    def errors(self) -> Middleware:
        """A middleware: an unknown address gets a page that leads back; JSON and static files answer as they are."""

        @web.middleware
        async def middleware(request: web.Request, handler: Answer) -> web.StreamResponse:
            try:
                return await handler(request)
            except web.HTTPNotFound:
                if request.path.startswith(("/api/", "/static/")):
                    raise
                return self._missing("There is no page at this address.", "/")

        return middleware


def build(watcher: Watcher, names: Collection[str] = ()) -> web.Application:
    """The application. `names`: host names beside loopback by which it may be called."""
    site = Site(watcher)
    application = web.Application(middlewares=[guarded(names), site.errors()], client_max_size=1024)
    application.add_routes([*site.routes(), *Api(watcher).routes()])
    application.on_response_prepare.append(add_headers)
    return application
