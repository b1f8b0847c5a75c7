"""Tests of Pyth feeds in Hermes' shape."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from coordinator.prices.base import Pyth, Said, Silent
from coordinator.prices.pyth import judge

NOW = 1_800_000_000
FEED = Pyth("https://hermes.example", "ab" * 32, max_age=60, max_conf=Fraction(1, 100))


def answer(price: str = "300050000000", conf: str = "100000000", expo: int = -8, time: int = NOW, feed: str = "ab" * 32) -> Any:
    price_part = {"price": price, "conf": conf, "expo": expo, "publish_time": time}
    return {
        "binary": {"encoding": "hex", "data": []},
        "parsed": [{"id": feed, "price": price_part, "ema_price": price_part, "metadata": {}}],
    }


def judged(reply: Any) -> Said | Silent:
    return judge([FEED], reply, NOW)[FEED]


def test_judge__young_and_certain__is_exact() -> None:
    assert judged(answer()) == Said(str(FEED), Fraction(30005, 10), NOW)


@pytest.mark.parametrize(("expo", "value"), [(0, 12), (2, 1200), (-3, Fraction(12, 1000))])
def test_judge__exponent__moves_the_point_both_ways(expo: int, value: Fraction) -> None:
    said = judged(answer(price="12", conf="0", expo=expo))
    assert isinstance(said, Said)
    assert said.value == value


def test_judge__id_with_prefix_and_capitals__is_the_same_feed() -> None:
    assert isinstance(judged(answer(feed="0x" + "AB" * 32)), Said)


@pytest.mark.parametrize(("conf", "usable"), [("100", True), ("101", False)])
def test_judge__confidence__usable_up_to_and_including_the_limit(conf: str, usable: bool) -> None:
    assert isinstance(judged(answer(price="10000", conf=conf)), Said) is usable


@pytest.mark.parametrize(("age", "usable"), [(60, True), (61, False), (-60, True), (-61, False)])
def test_judge__age__usable_up_to_and_including_the_limit(age: int, usable: bool) -> None:
    assert isinstance(judged(answer(time=NOW - age)), Said) is usable


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (answer(price="0"), "answers 0 give or take 100000000, which is no price"),
        (answer(price="-7"), "answers -7 give or take 100000000, which is no price"),
        (answer(price="100", conf="2"), "is uncertain by 200 bps, allowed are 100 bps"),
        (answer(time=NOW - 100), "is 100 s old, allowed are 60 s"),
        (answer(feed="cd" * 32), "is not in the answer"),
        ({"parsed": []}, "is not in the answer"),
        ({}, "the answer is not Hermes' (parsed prices are missing)"),
        (None, "one of the feeds asked for is not known there"),
        ({"parsed": None}, "the answer is not Hermes' (parsed prices are missing)"),
        (answer(price="1e9"), "the answer is not Hermes' (parsed prices are missing)"),
        (answer(expo=-400), "the answer is not Hermes' (parsed prices are missing)"),
    ],
)
def test_judge__unusable_answer__is_silent_with_its_reason(reply: Any, reason: str) -> None:
    assert judged(reply) == Silent(str(FEED), reason)


def test_judge__several_feeds__each_gets_its_own() -> None:
    other = Pyth("https://hermes.example", "cd" * 32, max_age=60, max_conf=Fraction(1, 100))
    both = answer()
    both["parsed"] += answer(price="5", conf="0", expo=0, feed="cd" * 32)["parsed"]
    found = judge([other, FEED], both, NOW)
    assert (found[other], found[FEED]) == (Said(str(other), Fraction(5), NOW), Said(str(FEED), Fraction(30005, 10), NOW))
