"""The price service of the local network, in the shape of Pyth's Hermes v2, with the real feed ids.

Prices start at the network's and are set through the control endpoint; every answer is freshly published unless a
test makes it stale. The binary part is empty: nothing on the local chains verifies it.
"""

from __future__ import annotations

import time
from decimal import Decimal, InvalidOperation
from typing import Any

from aiohttp import ClientSession, web

from deploy.localnet.agents.process import Controls, for_ever, run
from deploy.localnet.layout import PRICES, PYTH_FEEDS

EXPONENT = -8
SCALE = 10**8
FEEDS = PYTH_FEEDS | {"PYUSD/USD": "0xc1da1b73d7f01e7ddd54b3766cf7fcd644395ad14f70aa706ec5384c59e76692"}
START = {name: str(price) for name, price in PRICES.items()} | {"PYUSD/USD": "1"}
OWN_CONTROLS: dict[str, Any] = {
    "prices": START,  # dollars as decimal text, by feed name; a change names only the feeds it sets
    "conf_bps": 1,  # confidence, in basis points of the price
    "age_s": 0,  # how long ago the prices were published
}


class Prices(Controls):
    """The controls of this agent: a change of `prices` is checked and merged."""

    def change(self, changes: Any) -> None:
        prices = changes.get("prices", {})
        if not isinstance(prices, dict):
            raise ValueError("control 'prices' maps feed names to dollars as decimal text")
        for name, dollars in prices.items():
            if name not in FEEDS:
                raise ValueError(f"unknown feed {name!r}; known: {', '.join(FEEDS)}")
            units(dollars)
        super().change({**changes, "prices": {**self.own["prices"], **prices}})


def units(dollars: str) -> int:
    """Dollars as decimal text to units of 1e-8 dollar. Raises `ValueError` when it is no price or has more digits."""
    try:
        scaled = Decimal(str(dollars)) * SCALE
    except InvalidOperation:
        raise ValueError(f'{dollars!r} is not an amount of dollars; write it like "3000.5"') from None
    if not scaled.is_finite() or scaled != scaled.to_integral_value() or scaled <= 0:
        raise ValueError(f"{dollars!r} is not a positive price with at most 8 decimals")
    return int(scaled)


class Hermes:
    delays_answers = True

    def __init__(self, _book: dict[str, Any], _session: ClientSession) -> None:
        self.controls: Controls = Prices(OWN_CONTROLS)
        self._names = {feed.removeprefix("0x"): name for name, feed in FEEDS.items()}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v2/updates/price/latest", self.latest), web.get("/v2/price_feeds", self.feeds)]

    def state(self) -> dict[str, Any]:
        return {"feeds": FEEDS}

    async def work(self) -> None:
        await for_ever()

    async def latest(self, request: web.Request) -> web.Response:
        asked = [text.removeprefix("0x").lower() for text in request.query.getall("ids[]", [])]
        if not asked:
            return web.Response(status=400, text="Failed to deserialize query string: missing field `ids`")
        unknown = [feed for feed in asked if feed not in self._names]
        if unknown:
            return web.Response(status=404, text=f"Price ids not found: {', '.join('0x' + feed for feed in unknown)}")
        answer: dict[str, Any] = {"binary": {"encoding": "hex", "data": [""]}}
        if request.query.get("parsed", "true") == "true":
            answer["parsed"] = [self._parsed(feed) for feed in asked]
        return web.json_response(answer)

    async def feeds(self, request: web.Request) -> web.Response:
        wanted = request.query.get("query", "").lower()
        return web.json_response(
            [
                {"id": feed, "attributes": {"symbol": f"Crypto.{name}", "base": name.split("/")[0], "quote_currency": "USD"}}
                for feed, name in self._names.items()
                if wanted in name.lower()
            ]
        )

    def _parsed(self, feed: str) -> dict[str, Any]:
        price = units(self.controls.own["prices"][self._names[feed]])
        conf = price * self.controls.own["conf_bps"] // 10_000
        published = int(time.time()) - self.controls.own["age_s"]
        shown = {"price": str(price), "conf": str(conf), "expo": EXPONENT, "publish_time": published}
        meta = {"slot": published, "proof_available_time": published, "prev_publish_time": published - 1}
        return {"id": feed, "price": shown, "ema_price": dict(shown), "metadata": meta}


if __name__ == "__main__":
    run("hermes", Hermes)
