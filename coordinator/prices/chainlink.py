"""Chainlink aggregators: the latest round of a feed contract, refused unless it is whole, positive and young.

Interface: AggregatorV3Interface, `decimals()` and `latestRoundData() -> (roundId, answer, startedAt, updatedAt, answeredInRound)`,
https://docs.chain.link/data-feeds/api-reference
"""

from __future__ import annotations

import asyncio
from fractions import Fraction

from chains.base import Call, Reader
from chains.errors import Fault
from coordinator.prices.age import too_old
from coordinator.prices.base import Chainlink, Said, Silent

_DECIMALS = bytes.fromhex("313ce567")  # decimals()
_LATEST = bytes.fromhex("feaf968c")  # latestRoundData()
_ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")


async def ask(source: Chainlink, reader: Reader, now: int) -> Said | Silent:
    """What the feed says, USD per whole unit as an exact fraction. A fault of the network is a silent source, never an old price."""
    try:
        decimals, latest = await asyncio.gather(reader.read(_call(source, _DECIMALS)), reader.read(_call(source, _LATEST)))
    except Fault as fault:
        return Silent(str(source), str(fault))
    return judge(source, decimals, latest, now)


def judge(source: Chainlink, decimals: bytes, latest: bytes, now: int) -> Said | Silent:
    """The two answers of a feed as a price. Pure."""
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        (places,) = decode(["uint8"], decimals)
        round_id, answer, _, updated, answered_in = decode(_ROUND, latest)
    except DecodingError:
        return Silent(str(source), "does not answer like a price feed")
    if answer <= 0:
        return Silent(str(source), f"answers {answer}, which is no price")
    if updated == 0 or answered_in < round_id:
        return Silent(str(source), f"round {round_id} is not complete (answered in {answered_in})")
    refusal = too_old(updated, now, source.max_age)
    if refusal:
        return Silent(str(source), refusal)
    return Said(str(source), Fraction(answer, 10**places), updated)


def _call(source: Chainlink, data: bytes) -> Call:
    return Call(source.chain, source.feed, data, f"price from {source}")
