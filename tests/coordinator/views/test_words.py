"""Numbers as views write them: exact amounts, money to the cent, shares in percent."""

from __future__ import annotations

from fractions import Fraction

import pytest

from chains.ids import ChainId, TokenId
from chains.tokens import Amount, Token
from coordinator.views.words import Names, percent, usd, whole

CHAIN = ChainId("eip155", "1")
USDC = Token(TokenId(CHAIN, "erc20", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDC", 6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.33"),
        (Fraction(-5, 2), "-2.50"),
        (Fraction(5, 1000), "0.00"),
        (Fraction(15, 1000), "0.02"),
        (Fraction(10**30), f"{10**30}.00"),
    ],
)
def test_usd__value__two_decimals_half_to_even(value: Fraction, text: str) -> None:
    assert usd(value) == text


def test_percent__share_or_nothing__two_decimals_or_nothing() -> None:
    assert percent(Fraction(1, 8)) == "12.50"
    assert percent(None) is None


@pytest.mark.parametrize(("units", "text"), [(0, "0"), (1, "0.000001"), (-1_500_000, "-1.5"), (10**30 + 1, f"{10**24}.000001")])
def test_whole__amount__exact_without_separators(units: int, text: str) -> None:
    assert whole(Amount(USDC, units)) == text


def test_names__without_a_treasury__are_the_ids() -> None:
    names = Names(None)

    assert (names.chain(CHAIN), names.token(USDC.id)) == ("eip155:1", str(USDC.id))
