"""Numbers and bars as tables show them: short where that is honest, whole in amounts, never a guess."""

from __future__ import annotations

import pytest

from coordinator.show.tables import age, bar, drift, grouped, money, short


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1.5 ETH", "1.5 ETH"),
        ("0.123456 BTC", "0.123456 BTC"),
        ("0.1234567 BTC", "0.123456… BTC"),
        ("999.123456789 SOL", "999.123456… SOL"),
        ("105,240.48 USDC", "105,240.48 USDC"),
        ("105,240.482167 USDC", "105,240.48… USDC"),
        ("1,234,567.000001 USDC", "1,234,567.00… USDC"),
        ("600,000 USDC", "600,000 USDC"),
    ],
)
def test_short__amount__says_when_digits_are_left_out(amount: str, shown: str) -> None:
    assert short(amount) == shown


@pytest.mark.parametrize(
    ("whole", "shown"), [("600000", "600,000"), ("-1234.5", "-1,234.5"), ("0", "0"), ("0.25", "0.25"), ("-0.5", "-0.5")]
)
def test_grouped__whole_tokens__get_separators_and_keep_their_sign(whole: str, shown: str) -> None:
    assert grouped(whole) == shown


@pytest.mark.parametrize(("text", "shown"), [("1234567.50", "$1,234,567.50"), ("-0.05", "-$0.05"), (None, "unknown")])
def test_money__text__is_dollars_or_unknown(text: str | None, shown: str) -> None:
    assert money(text) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(None, "-"), (0, "0 s"), (119, "119 s"), (120, "2 m"), (7200, "2 h")])
def test_age__seconds__in_the_unit_that_fits(seconds: int | None, shown: str) -> None:
    assert age(seconds) == shown


def test_bar__weight_and_band__fill_and_edges() -> None:
    assert str(bar("50.00", None, None)) == "█████████·········"
    assert str(bar("0.00", "0.00", "100.00")) == "|················|"


def test_bar__unknown_weight__is_empty_but_keeps_its_band() -> None:
    assert str(bar(None, "50.00", None)) == "·········|········"


def test_drift__unknown__is_not_in() -> None:
    assert str(drift({"out": None, "drift": None})) == "unknown"
    assert str(drift({"out": False, "drift": "0.00"})) == "in"
    assert str(drift({"out": True, "drift": "-4.59"})) == "-4.59 pp  OUT"
