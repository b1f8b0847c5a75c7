"""Own prices on the local network: real aggregator contracts and the price service, agreeing, disagreeing and old."""

from __future__ import annotations

import time
from decimal import Decimal
from fractions import Fraction

import pytest

from coordinator.prices import observe
from coordinator.prices.base import Chainlink, Peg, PriceRule, Pyth
from deploy.localnet.layout import PYTH_FEEDS

pytestmark = pytest.mark.localnet


@pytest.fixture
async def look(desk):
    """The price of ETH and USDC, each by an aggregator on alpha and by the price service."""
    alpha, hermes = desk.named["alpha"], desk.network.book["services"]["hermes"]
    contracts = desk.books[alpha]["contracts"]
    rules = {
        asset: PriceRule(
            asset,
            (
                Chainlink(alpha, contracts[f"Chainlink{asset}USD"], max_age=86_400),
                Pyth(hermes, PYTH_FEEDS[f"{asset}/USD"].removeprefix("0x"), max_age=60, max_conf=Fraction(1, 100)),
            ),
            need=2,
            combine="median",
            max_age=86_400,
            max_deviation=Fraction(1, 100),
            peg=Peg(Fraction(1), Fraction(2, 100)) if asset == "USDC" else None,
        )
        for asset in ("ETH", "USDC")
    }
    yield lambda: observe(rules, desk.chains, desk.http, int(time.time()))
    await desk.control("hermes", prices={"ETH/USD": "3000", "USDC/USD": "1"}, age_s=0, conf_bps=1)


async def test_observe__both_sources__priced_by_their_mean(look, desk) -> None:
    chainlink = desk.network.evm("alpha").price("ETH/USD")
    await desk.control("hermes", prices={"ETH/USD": str(chainlink * Decimal("1.005"))})
    prices = await look()
    assert prices.refused == {}
    assert prices.by_asset["ETH"].value == Fraction(chainlink) * Fraction(10025, 10000)
    assert prices.by_asset["USDC"].value == 1


async def test_observe__sources_disagree__refused(look, desk) -> None:
    await desk.control("hermes", prices={"ETH/USD": "2900"})
    prices = await look()
    assert "ETH" not in prices.by_asset
    assert "sources disagree" in prices.refused["ETH"]
    assert prices.by_asset["USDC"].value == 1


async def test_observe__price_service_old_or_unsure__refused(look, desk) -> None:
    await desk.control("hermes", age_s=120)
    assert "s old, allowed are 60 s" in (await look()).refused["ETH"]
    await desk.control("hermes", age_s=0, conf_bps=150)
    assert "is uncertain by 150 bps" in (await look()).refused["ETH"]
