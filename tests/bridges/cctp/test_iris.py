"""Iris: the documented answers are read, any other shape is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

from bridges.cctp.iris import Iris
from chains.errors import OutsideTerms, RateLimited, Unknowable, Unreachable

FEES = "GET /v2/burn/USDC/fees/0/6"
MESSAGES = "GET /v2/messages/0?transactionHash=0xaa"


@pytest.fixture
def iris(api, http):
    return Iris(http, api.url)


async def test_fee__tier_with_decimals__is_an_exact_share(api, iris):
    api.says(FEES, [{"finalityThreshold": 1000, "minimumFee": 1.3}, {"finalityThreshold": 2000, "minimumFee": 0}])
    assert await iris.fee(0, 6, 1000) == Fraction(13, 100_000)
    assert await iris.fee(0, 6, 2000) == 0


@pytest.mark.parametrize("answer", [[], [{"finalityThreshold": 2000, "minimumFee": 0}]])
async def test_fee__finality_not_offered__is_outside_terms(api, iris, answer):
    api.says(FEES, answer)
    with pytest.raises(OutsideTerms, match="finality 1000"):
        await iris.fee(0, 6, 1000)


@pytest.mark.parametrize(
    "answer",
    [
        {"data": []},
        [{"finalityThreshold": 1000}],
        [{"finalityThreshold": 1000, "minimumFee": -1}],
        [{"finalityThreshold": 1000, "minimumFee": "NaN"}],
    ],
)
async def test_fee__other_shape__is_unknowable(api, iris, answer):
    api.says(FEES, answer)
    with pytest.raises(Unknowable, match="another shape"):
        await iris.fee(0, 6, 1000)


async def test_fast_allowance__whole_usdc__is_exact(api, iris):
    api.says("GET /v2/fastBurn/USDC/allowance", {"allowance": 9119319.307502, "lastUpdated": "2026-01-01T00:00:00Z"})
    assert await iris.fast_allowance() == Fraction("9119319.307502")


async def test_fast_allowance__not_served__is_none(iris):
    assert await iris.fast_allowance() is None


async def test_messages__404__is_empty(iris):
    assert await iris.messages(0, "0xaa") == []


async def test_messages__pending__keeps_the_reason(api, iris):
    api.says(
        MESSAGES,
        {
            "messages": [
                {
                    "message": "0x",
                    "eventNonce": "",
                    "attestation": "PENDING",
                    "decodedMessage": None,
                    "cctpVersion": 2,
                    "status": "pending_confirmations",
                    "delayReason": "insufficient_fee",
                }
            ]
        },
    )
    (entry,) = await iris.messages(0, "0xaa")
    assert not entry.complete
    assert entry.delay_reason == "insufficient_fee"


@pytest.mark.parametrize("answer", [{"error": "x"}, {"messages": [{"message": "0x"}]}, {"messages": None}, []])
async def test_messages__other_shape__is_unknowable(api, iris, answer):
    api.says(MESSAGES, answer)
    with pytest.raises(Unknowable, match="another shape"):
        await iris.messages(0, "0xaa")


@pytest.mark.parametrize(("status", "fault"), [(429, RateLimited), (500, Unreachable), (400, Unknowable)])
async def test_messages__error_status__is_sorted(api, iris, status, fault):
    api.says(MESSAGES, {}, status=status)
    with pytest.raises(fault):
        await iris.messages(0, "0xaa")


async def test_reattest__nonce__is_asked_for_as_hex(api, iris):
    path = "POST /v2/reattest/0x" + "ab" * 32
    api.says(path, {"message": "Re-attestation successfully requested for nonce.", "nonce": "0x" + "ab" * 32})
    await iris.reattest(bytes.fromhex("ab" * 32))
    assert api.asked == [path]
