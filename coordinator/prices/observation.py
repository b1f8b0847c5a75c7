"""The prices of one turn: every source is asked at once, every asset is priced or refused with a reason."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from bridges.http import Http
from chains.base import Reader
from chains.ids import ChainId
from chains.tokens import AssetId
from coordinator.prices import chainlink, pyth
from coordinator.prices.base import Answers, Chainlink, Manual, PriceRule, Pyth, Said, Silent, Source
from coordinator.prices.combine import combine
from policies.base import Price, Prices


async def observe(assets: Mapping[AssetId, PriceRule], readers: Mapping[ChainId, Reader], http: Http, now: int) -> Prices:
    """Ask all sources (a shared one once) and combine per asset. `now`: unix seconds.

    Never raises a Fault: what cannot be had is in `Prices.refused`, and nothing takes its place.
    """
    sources = list(dict.fromkeys(source for rule in assets.values() for source in rule.sources))
    asked = await asyncio.gather(
        *(_ask_chain(source, readers, now) for source in sources if isinstance(source, Chainlink)),
        *(pyth.ask(url, feeds, http, now) for url, feeds in _by_url(sources).items()),
    )
    answers: dict[Source, Said | Silent] = {source: _stated(source, now) for source in sources if isinstance(source, Manual)}
    for part in asked:
        answers.update(part)
    return priced(assets, answers)


def priced(assets: Mapping[AssetId, PriceRule], answers: Answers) -> Prices:
    """The prices that follow from what every source said. Pure."""
    found = {asset: combine(rule, [answers[source] for source in rule.sources]) for asset, rule in assets.items()}
    return Prices(
        by_asset={asset: price for asset, price in found.items() if isinstance(price, Price)},
        refused={asset: reason for asset, reason in found.items() if isinstance(reason, str)},
    )


async def _ask_chain(source: Chainlink, readers: Mapping[ChainId, Reader], now: int) -> Answers:
    reader = readers.get(source.chain)
    if reader is None:
        return {source: Silent(str(source), "no connection to its chain")}
    return {source: await chainlink.ask(source, reader, now)}


def _by_url(sources: list[Source]) -> Mapping[str, list[Pyth]]:
    found: dict[str, list[Pyth]] = defaultdict(list)
    for source in sources:
        if isinstance(source, Pyth):
            found[source.url].append(source)
    return found


def _stated(source: Manual, now: int) -> Said | Silent:
    """A stated price is as young as the moment it is used, until it ends."""
    if now >= source.until:
        return Silent(str(source), f"ended {now - source.until} s ago")
    return Said(str(source), source.value, now)
