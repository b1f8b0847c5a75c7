"""Opening prices and ranges of the pools, against Uniswap v3's own definitions."""

from math import isqrt

import pytest

from deploy.localnet.evm.uniswap import sqrt_price, tick_range

PAIRS = [(5_000 * 10**18, 15_000_000 * 10**6), (15_000_000 * 10**6, 5_000 * 10**18), (15 * 10**8, 900_000 * 10**6)]


@pytest.mark.parametrize(("amount0", "amount1"), PAIRS)
def test_sqrt_price__squared__is_the_price_to_one_part_in_a_billion(amount0: int, amount1: int) -> None:
    root = sqrt_price(amount0, amount1)
    assert abs(root * root * amount0 - (amount1 << 192)) * 10**9 < amount1 << 192
    assert sqrt_price(1, 1) == 1 << 96 == isqrt(1 << 192)


@pytest.mark.parametrize(("amount0", "amount1"), PAIRS)
@pytest.mark.parametrize("spacing", [10, 60])
def test_tick_range__any_pair__spans_half_to_double_on_the_spacing(amount0: int, amount1: int, spacing: int) -> None:
    low, high = tick_range(amount0, amount1, spacing)
    price = amount1 / amount0
    assert low % spacing == high % spacing == 0
    assert 1.0001**low / price == pytest.approx(0.5, rel=0.01)
    assert 1.0001**high / price == pytest.approx(2, rel=0.01)
