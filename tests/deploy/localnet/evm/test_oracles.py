"""Dollars to feed units."""

from decimal import Decimal

import pytest

from deploy.localnet.evm.oracles import price_units


@pytest.mark.parametrize(("dollars", "units"), [("3000", 300_000_000_000), ("0.99999999", 99_999_999), ("-1", -(10**8))])
def test_price_units__representable__is_exact(dollars: str, units: int) -> None:
    assert price_units(Decimal(dollars)) == units


def test_price_units__more_digits_than_the_feed_has__is_refused() -> None:
    with pytest.raises(ValueError, match="more than 8 decimals"):
        price_units(Decimal("1.000000001"))
