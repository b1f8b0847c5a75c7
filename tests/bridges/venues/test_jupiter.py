"""The client of the swap API: what it asks, and which answers it takes for answers."""

from __future__ import annotations

import pytest

from bridges.http import Http
from bridges.venues.jupiter import Ask, Jupiter
from chains.errors import OutsideTerms, RateLimited, Unknowable, Unreachable

ASKED = "GET /swap/v1/quote?inputMint=SOL&outputMint=USDC&amount=1000&slippageBps=50&swapMode=ExactIn&maxAccounts=20"
INSTRUCTIONS = "POST /swap/v1/swap-instructions"
QUOTE = {
    "inputMint": "SOL",
    "outputMint": "USDC",
    "inAmount": "1000",
    "outAmount": "150",
    "otherAmountThreshold": "149",
    "swapMode": "ExactIn",
    "somethingNew": {},
}


@pytest.fixture
def jupiter(api, http: Http) -> Jupiter:
    return Jupiter(http, api.url, max_accounts=20)


async def test_quote__answered__is_taken_with_its_threshold(api, jupiter: Jupiter) -> None:
    api.says(ASKED, QUOTE)
    offer = await jupiter.quote(Ask("SOL", "USDC", 1_000, 50))
    assert (offer.takes, offer.threshold, offer.raw) == (150, 149, QUOTE)


@pytest.mark.parametrize(
    "change",
    [{"inputMint": "X"}, {"outputMint": "X"}, {"inAmount": "999"}, {"swapMode": "ExactOut"}, {"outAmount": "-1"}, {"outAmount": "1.5"}],
)
async def test_quote__for_another_swap__is_unknowable(api, jupiter: Jupiter, change: dict[str, str]) -> None:
    api.says(ASKED, QUOTE | change)
    with pytest.raises(Unknowable):
        await jupiter.quote(Ask("SOL", "USDC", 1_000, 50))


async def test_quote__no_route__is_outside_terms(api, jupiter: Jupiter) -> None:
    api.says(ASKED, {"error": "Could not find any route", "errorCode": "COULD_NOT_FIND_ANY_ROUTE"}, status=400)
    with pytest.raises(OutsideTerms, match="no route"):
        await jupiter.quote(Ask("SOL", "USDC", 1_000, 50))


@pytest.mark.parametrize(("status", "fault"), [(400, Unknowable), (404, Unknowable), (429, RateLimited), (503, Unreachable)])
async def test_quote__refused__is_sorted(api, jupiter: Jupiter, status: int, fault: type[Exception]) -> None:
    api.says(ASKED, {"error": "?"}, status=status)
    with pytest.raises(fault):
        await jupiter.quote(Ask("SOL", "USDC", 1_000, 50))


async def test_instructions__without_a_swap__is_unknowable(api, jupiter: Jupiter) -> None:
    api.says(ASKED, QUOTE)
    offer = await jupiter.quote(Ask("SOL", "USDC", 1_000, 50))
    api.says(INSTRUCTIONS, {"setupInstructions": []})
    with pytest.raises(Unknowable, match="swapInstruction"):
        await jupiter.instructions(offer, "us")
