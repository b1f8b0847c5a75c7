"""Tests of quantities as people write them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.config import quantities as q


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (q.usd, "$25_000.50", Fraction("25000.5")),
        (q.usd, "$5k", 5000),
        (q.usd, "$1.5M", 1_500_000),
        (q.usd, "250 USD", 250),
        (q.usd, "$0", 0),
        (q.share, "45%", Fraction(45, 100)),
        (q.share, "0%", 0),
        (q.share, "100%", 1),
        (q.share, "33.3 %", Fraction(333, 1000)),
        (q.points, "5pp", Fraction(5, 100)),
        (q.rate, "50bps", Fraction(1, 200)),
        (q.rate, "0.5%", Fraction(1, 200)),
        (q.duration, "90s", 90),
        (q.duration, "15m", 900),
        (q.duration, "1h", 3600),
        (q.duration, "7d", 604_800),
        (q.duration, "60", 60),
        (q.decimal, "1_000.5", Fraction("1000.5")),
    ],
)
def test_read__valid__is_exact(read: Callable[[object], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (q.usd, "25000"),
        (q.usd, "$-5"),
        (q.usd, "$1e5"),
        (q.usd, "€5"),
        (q.usd, "$"),
        (q.usd, "$5 USD"),
        (q.share, "45"),
        (q.share, "101%"),
        (q.share, "-1%"),
        (q.share, "5pp"),
        (q.points, "5%"),
        (q.rate, "5pp"),
        (q.rate, "10_001bps"),
        (q.duration, "0s"),
        (q.duration, "1.5h"),
        (q.duration, "soon"),
        (q.decimal, "-1"),
        (q.decimal, "nan"),
        (q.decimal, "inf"),
        (q.decimal, "1e9"),
        (q.decimal, "1,000"),
        (q.decimal, "٣"),
        (q.positive, "0"),
        (q.usd, None),
        (q.usd, []),
    ],
)
def test_read__invalid__refused_with_what_is_allowed(read: Callable[[object], object], text: object) -> None:
    with pytest.raises(q.Refused) as refusal:
        read(text)
    assert refusal.value.allowed


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (q.show_usd(Fraction("1234.565")), "$1,234.56"),
        (q.show_usd(Fraction(1, 1000)), "<$0.01"),
        (q.show_usd(Fraction(0)), "$0.00"),
        (q.show_usd(Fraction("-2.5")), "-$2.50"),
        (q.show_share(Fraction(1, 3)), "33.3333%"),
        (q.show_share(Fraction(1)), "100%"),
        (q.show_rate(Fraction(1, 200)), "50 bps"),
        (q.show_decimal(Fraction(1000)), "1,000"),
    ],
)
def test_show__exact_value__reads_well(shown: str, expected: str) -> None:
    assert shown == expected


@given(st.integers(0, 10**15), st.integers(0, 99))
def test_usd__shown_then_read__is_the_same(dollars: int, cents: int) -> None:
    value = dollars + Fraction(cents, 100)
    assert q.usd(q.show_usd(value).replace(",", "_")) == value


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[$0-9_.%pbhsdkM ]{1,9}", fullmatch=True)))
def test_read__any_text__a_number_or_a_refusal(text: str) -> None:
    for read in (q.usd, q.share, q.points, q.rate, q.duration, q.decimal):
        with suppress(q.Refused):
            assert read(text) >= 0
