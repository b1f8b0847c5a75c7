"""Tests of Chainlink feeds: what counts as a price, and what never does."""

from __future__ import annotations

from fractions import Fraction

import pytest
from eth_abi.abi import encode

from chains.ids import ChainId
from coordinator.prices.base import Chainlink, Said, Silent
from coordinator.prices.chainlink import judge

FEED = Chainlink(ChainId("eip155", "1"), "0x8fFfFfd4AfB6115b954Bd326cbe7B4BA576818f6", max_age=3600)
NOW = 1_800_000_000
DECIMALS = encode(["uint8"], [8])


def latest(answer: int = 100_020_000, updated: int = NOW, round_id: int = 7, answered_in: int = 7) -> bytes:
    return encode(["uint80", "int256", "uint256", "uint256", "uint80"], [round_id, answer, updated, updated, answered_in])


def test_judge__young_whole_round__is_exact() -> None:
    said = judge(FEED, DECIMALS, latest(), NOW)
    assert said == Said(str(FEED), Fraction(10002, 10000), NOW)


def test_judge__eighteen_decimals__is_exact() -> None:
    said = judge(FEED, encode(["uint8"], [18]), latest(answer=3 * 10**18 + 1), NOW)
    assert isinstance(said, Said)
    assert said.value == 3 + Fraction(1, 10**18)


@pytest.mark.parametrize(("age", "usable"), [(0, True), (3600, True), (3601, False), (-60, True), (-61, False)])
def test_judge__age__usable_up_to_and_including_the_limit(age: int, usable: bool) -> None:
    assert isinstance(judge(FEED, DECIMALS, latest(updated=NOW - age), NOW), Said) is usable


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (latest(answer=0), "answers 0, which is no price"),
        (latest(answer=-5), "answers -5, which is no price"),
        (latest(updated=0), "round 7 is not complete (answered in 7)"),
        (latest(answered_in=6), "round 7 is not complete (answered in 6)"),
        (latest(updated=NOW - 4000), "is 4000 s old, allowed are 3600 s"),
        (b"", "does not answer like a price feed"),
        (b"\x01" * 31, "does not answer like a price feed"),
    ],
)
def test_judge__unusable_answer__is_silent_with_its_reason(answer: bytes, reason: str) -> None:
    assert judge(FEED, DECIMALS, answer, NOW) == Silent(str(FEED), reason)
