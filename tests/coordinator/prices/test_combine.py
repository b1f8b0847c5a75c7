"""Tests of making one price of several: agreement, need, peg."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.prices.base import Manual, Peg, PriceRule, Said, Silent
from coordinator.prices.combine import combine, median
from policies.base import Price

RULE = PriceRule("USDC", tuple(Manual(Fraction(n), 0) for n in (1, 2, 3)), 2, "median", 60, Fraction(1, 100))


def said(value: Any, time: int = 100, source: str = "a") -> Said:
    return Said(source, Fraction(value), time)


def test_combine__two_of_three__mean_of_both_and_the_older_time() -> None:
    price = combine(RULE, [said(1, 100, "a"), Silent("b", "is late"), said("1.01", 90, "c")])
    assert price == Price("USDC", Fraction("1.005"), 90, ("a", "c"))


def test_combine__three__the_middle_one() -> None:
    price = combine(RULE, [said("1.01"), said(1), said("1.002")])
    assert isinstance(price, Price)
    assert price.value == Fraction("1.002")


def test_combine__first__takes_the_configured_order() -> None:
    price = combine(replace(RULE, combine="first"), [said("1.005", 80, "a"), said(1, 10, "b")])
    assert price == Price("USDC", Fraction("1.005"), 80, ("a", "b"))


def test_combine__too_few__refused_with_every_reason() -> None:
    told = combine(RULE, [said(1), Silent("b", "is 90 s old"), Silent("c", "is not in the answer")])
    assert told == "1 of 3 sources answer, 2 are needed: b is 90 s old; c is not in the answer"


def test_combine__nobody__refused_even_when_none_is_needed() -> None:
    assert isinstance(combine(replace(RULE, need=0), [Silent("a", "x")]), str)


@pytest.mark.parametrize(("other", "agrees"), [("1.01", True), ("1.0100001", False), ("0.99", False), ("0.995", True)])
def test_combine__deviation__up_to_and_including_the_limit(other: str, agrees: bool) -> None:
    assert isinstance(combine(RULE, [said(1), said(other)]), Price) is agrees


def test_combine__disagreement__names_both() -> None:
    told = combine(RULE, [said(1, source="chainlink"), said("1.05", source="pyth")])
    assert told == "sources disagree: chainlink says $1, pyth says $1.05; that is 5%, allowed are 1%"


def test_combine__one_far_off_among_many__refused_not_outvoted() -> None:
    assert isinstance(combine(RULE, [said(1), said(1), said(2)]), str)


@pytest.mark.parametrize(("value", "pegged"), [("0.98", True), ("0.9799", False), ("1.02", True), ("1.0201", False), ("1", True)])
def test_combine__peg__both_sides_up_to_and_including_the_tolerance(value: str, pegged: bool) -> None:
    rule = replace(RULE, need=1, peg=Peg(Fraction(1), Fraction(2, 100)))
    assert isinstance(combine(rule, [said(value)]), Price) is pegged


def test_combine__depegged__is_never_par() -> None:
    told = combine(replace(RULE, need=1, peg=Peg(Fraction(1), Fraction(2, 100))), [said("0.87")])
    assert told == "depegged: $0.87 is 1,300 bps off its peg of $1, allowed are 200 bps"


@given(st.lists(st.fractions(min_value=Fraction(1, 10), max_value=10), min_size=1, max_size=7))
def test_median__any_values__lies_between_and_splits_them(values: list[Fraction]) -> None:
    middle = median(values)
    assert min(values) <= middle <= max(values)
    assert sum(v < middle for v in values) <= len(values) / 2
    assert sum(v > middle for v in values) <= len(values) / 2


@given(st.lists(st.fractions(min_value=Fraction(1, 10), max_value=10), min_size=2, max_size=5))
def test_combine__any_answers__a_price_only_when_all_agree(values: list[Fraction]) -> None:
    price = combine(RULE, [said(v) for v in values])
    assert isinstance(price, Price) is (max(values) <= min(values) * Fraction(101, 100))
