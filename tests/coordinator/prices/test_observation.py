"""Tests of observing: real HTTP on the loopback, feeds in memory, and every way a source can fail."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from eth_abi.abi import encode

from bridges.http import Http
from chains.base import Call
from chains.errors import Fault, Reverted, Unreachable
from chains.ids import ChainId
from coordinator.prices import observe
from coordinator.prices.base import Chainlink, Manual, PriceRule, Pyth

NOW = 1_800_000_000
ALPHA = ChainId("eip155", "1")
FEED = Chainlink(ALPHA, "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6", max_age=3600)


class Feeds:
    """A chain on which price feeds answer what they are told to; everything else reverts."""

    def __init__(self, answers: dict[str, int], fault: Fault | None = None) -> None:
        self.answers = answers
        self.fault = fault
        self.reads = 0

    async def read(self, call: Call) -> bytes:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        if call.target not in self.answers:
            raise Reverted(f"no contract at {call.target}")
        if call.data.hex() == "313ce567":
            return encode(["uint8"], [8])
        return encode(["uint80", "int256", "uint256", "uint256", "uint80"], [1, self.answers[call.target], NOW, NOW, 1])


class Hermes:
    """A Hermes API over a table of prices (in millionths)."""

    def __init__(self) -> None:
        self.prices: dict[str, int] = {}
        self.queries: list[list[str]] = []
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        ids = request.query.getall("ids[]")
        self.queries.append(ids)
        parsed: list[dict[str, Any]] = [
            {"id": feed, "price": {"price": str(self.prices[feed]), "conf": "1", "expo": -6, "publish_time": NOW - 1}}
            for feed in ids
            if feed in self.prices
        ]
        return web.json_response({"parsed": parsed}, status=self.status)


@pytest.fixture
async def hermes() -> AsyncIterator[tuple[Hermes, str]]:
    api = Hermes()
    app = web.Application()
    app.router.add_get("/v2/updates/price/latest", api.answer)
    async with TestServer(app) as server:
        yield api, str(server.make_url("")).rstrip("/")


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(timeout=2.0) as client:
        yield client


def rule(asset: str, *sources: Chainlink | Pyth | Manual, need: int | None = None) -> PriceRule:
    return PriceRule(asset, sources, need or len(sources), "median", 3600, Fraction(1, 100))


def pyth(url: str, feed: str) -> Pyth:
    return Pyth(url, feed, 60, Fraction(1, 100))


async def test_observe__both_agree__exact_mean(hermes: tuple[Hermes, str], http: Http) -> None:
    api, url = hermes
    api.prices["aa" * 32] = 1_004_000
    prices = await observe({"USDC": rule("USDC", FEED, pyth(url, "aa" * 32))}, {ALPHA: Feeds({FEED.feed: 100_000_000})}, http, NOW)
    assert prices.by_asset["USDC"].value == Fraction("1.002")
    assert prices.by_asset["USDC"].time == NOW - 1
    assert prices.refused == {}


async def test_observe__several_assets__one_request_an_api_and_one_look_a_feed(hermes: tuple[Hermes, str], http: Http) -> None:
    api, url = hermes
    api.prices = {"aa" * 32: 5_000_000, "bb" * 32: 7_000_000}
    feeds = Feeds({FEED.feed: 500_000_000})
    assets = {
        "A": rule("A", FEED, pyth(url, "aa" * 32)),
        "B": rule("B", pyth(url, "bb" * 32)),
        "C": rule("C", FEED, pyth(url, "aa" * 32)),
    }
    prices = await observe(assets, {ALPHA: feeds}, http, NOW)
    assert {asset: price.value for asset, price in prices.by_asset.items()} == {"A": 5, "B": 7, "C": 5}
    assert api.queries == [["aa" * 32, "bb" * 32]]
    assert feeds.reads == 2  # decimals and the latest round


async def test_observe__one_asset_fails__others_keep_their_price(hermes: tuple[Hermes, str], http: Http) -> None:
    api, url = hermes
    api.prices = {"aa" * 32: 5_000_000}
    assets = {"A": rule("A", pyth(url, "aa" * 32)), "B": rule("B", pyth(url, "bb" * 32))}
    prices = await observe(assets, {}, http, NOW)
    assert list(prices.by_asset) == ["A"]
    assert prices.refused == {"B": "0 of 1 sources answer, 1 are needed: pyth bbbbbb…bbbb is not in the answer"}


@pytest.mark.parametrize(
    ("fault", "told"), [(Unreachable("rpc does not answer"), "rpc does not answer"), (Reverted("execution reverted"), "reverted")]
)
async def test_observe__chain_fails__refused_never_the_last_price(fault: Fault, told: str, http: Http) -> None:
    prices = await observe({"USDC": rule("USDC", FEED)}, {ALPHA: Feeds({}, fault)}, http, NOW)
    assert prices.by_asset == {}
    assert told in prices.refused["USDC"]


async def test_observe__chain_not_connected__refused(http: Http) -> None:
    prices = await observe({"USDC": rule("USDC", FEED)}, {}, http, NOW)
    assert "no connection to its chain" in prices.refused["USDC"]


@pytest.mark.parametrize("status", [404, 429, 500, 400])
async def test_observe__api_fails__refused_and_its_query_not_told(status: int, hermes: tuple[Hermes, str], http: Http) -> None:
    api, url = hermes
    api.status = status
    prices = await observe({"A": rule("A", pyth(f"{url}", "aa" * 32))}, {}, http, NOW)
    assert prices.by_asset == {}
    assert "aa" * 32 not in prices.refused["A"]


async def test_observe__nobody_listens__refused(http: Http) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    prices = await observe({"A": rule("A", pyth(url, "aa" * 32))}, {}, http, NOW)
    assert "127.0.0.1 gives no price (Unreachable)" in prices.refused["A"]


async def test_observe__enough_of_the_sources__price_stands_on_those(hermes: tuple[Hermes, str], http: Http) -> None:
    api, url = hermes
    api.prices = {"aa" * 32: 2_000_000}
    prices = await observe({"A": rule("A", FEED, pyth(url, "aa" * 32), need=1)}, {ALPHA: Feeds({})}, http, NOW)
    assert prices.by_asset["A"].value == 2
    assert len(prices.by_asset["A"].sources) == 1


@pytest.mark.parametrize(("until", "usable"), [(NOW + 1, True), (NOW, False), (NOW - 5, False)])
async def test_observe__stated_price__until_its_end(until: int, usable: bool, http: Http) -> None:
    prices = await observe({"A": rule("A", Manual(Fraction(3), until))}, {}, http, NOW)
    assert ("A" in prices.by_asset) is usable
    assert ("A" in prices.refused) is not usable
