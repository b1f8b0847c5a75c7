"""The price service: prices as text in, Pyth's shape out, staleness on request."""

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from deploy.localnet.agents.hermes import FEEDS, Hermes, units
from deploy.localnet.agents.process import open_agent


@pytest.fixture
async def served() -> AsyncIterator[tuple[Hermes, str]]:
    async with aiohttp.ClientSession() as session:
        agent = Hermes({}, session)
        runner = await open_agent(agent, 0)
        yield agent, f"http://127.0.0.1:{runner.addresses[0][1]}/v2/updates/price/latest"
        await runner.cleanup()


@pytest.mark.parametrize(("dollars", "expected"), [("1", 10**8), ("3000.5", 300_050_000_000), ("0.00000001", 1)])
def test_units__decimal_text__is_exact(dollars: str, expected: int) -> None:
    assert units(dollars) == expected


@pytest.mark.parametrize("dollars", ["", "free", "0", "-1", "0.000000001", "NaN", "Infinity"])
def test_units__no_price__is_refused(dollars: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        units(dollars)


async def test_latest__price_set_and_aged__answers_both(served: tuple[Hermes, str]) -> None:
    agent, url = served
    agent.controls.change({"prices": {"PYUSD/USD": "0.97"}, "age_s": 100, "conf_bps": 50})
    asked = [("ids[]", FEEDS["PYUSD/USD"]), ("ids[]", FEEDS["BTC/USD"])]
    now = int(time.time())
    async with aiohttp.ClientSession() as session, session.get(url, params=asked) as response:
        parsed = (await response.json())["parsed"]
    assert [entry["id"] for entry in parsed] == [feed[2:] for _, feed in asked]
    price = parsed[0]["price"]
    assert (price["price"], price["conf"], price["expo"]) == ("97000000", "485000", -8)
    assert now - 100 <= price["publish_time"] <= now - 99 + 5
    assert parsed[1]["price"]["price"] == "6000000000000", "the other feeds keep their price"


async def test_latest__unknown_or_no_feed__is_refused(served: tuple[Hermes, str]) -> None:
    _, url = served
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 400
        async with session.get(url, params={"ids[]": "0x" + "00" * 32}) as response:
            assert (response.status, await response.text()) == (404, f"Price ids not found: 0x{'00' * 32}")


def test_prices__unknown_feed__is_refused() -> None:
    with pytest.raises(ValueError, match="unknown feed 'DOGE/USD'"):
        Hermes({}, None).controls.change({"prices": {"DOGE/USD": "1"}})  # type: ignore[arg-type]  # no session is used
