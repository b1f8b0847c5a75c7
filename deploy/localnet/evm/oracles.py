"""Price oracles of one EVM chain: a Chainlink-style aggregator a feed, and one Pyth contract for all of them."""

from collections.abc import Mapping
from decimal import Decimal

from hexbytes import HexBytes

from deploy.localnet.artifacts import Artifact, load
from deploy.localnet.evm.node import Contract, EvmNode
from deploy.localnet.layout import PRICE_DECIMALS, PRICES, PYTH_FEEDS, chainlink_name

PYTH_VALID_SECONDS = 3600
PYTH_UPDATE_FEE = 1


def deploy_oracles(node: EvmNode, compiled: Mapping[str, Artifact]) -> dict[str, Contract]:
    """All oracles by their name in the address book, each at the network's opening price."""
    aggregator = compiled["MockV3Aggregator"]
    oracles = {chainlink_name(feed): node.deploy(aggregator, PRICE_DECIMALS, price_units(Decimal(price))) for feed, price in PRICES.items()}
    oracles["Pyth"] = node.deploy(load("MockPyth"), PYTH_VALID_SECONDS, PYTH_UPDATE_FEE)
    return oracles


def price_units(price: Decimal) -> int:
    """Dollars to the feeds' base units (8 decimals); ValueError when the price has more digits than that."""
    units = price.scaleb(PRICE_DECIMALS)
    if units != units.to_integral_value():
        raise ValueError(f"price {price} has more than {PRICE_DECIMALS} decimals")
    return int(units)


def publish_pyth(pyth: Contract, prices: Mapping[str, int], published: int) -> HexBytes:
    """Put prices (base units by feed) on Pyth with a publish time in unix seconds and a confidence of 0.01 %.

    A publish time not later than the feed's present one changes nothing (Pyth's own rule). Returns the hash of the
    transaction, which was sent and not waited for.
    """
    updates = []
    for feed, units in prices.items():
        confidence = max(units // 10_000, 1)
        fields = (units, confidence, -PRICE_DECIMALS, units, confidence, published, published - 1)
        updates.append(pyth.call("createPriceFeedUpdateData", bytes.fromhex(PYTH_FEEDS[feed][2:]), *fields))
    return pyth.post("updatePriceFeeds", updates, value=PYTH_UPDATE_FEE * len(updates))
