"""Tests of the threshold loop: as plain Python and, where numba is installed, compiled, it equals the block-wise backtest."""

from __future__ import annotations

import numpy as np
import pytest

from policies.backtest import kernel
from policies.backtest.fast import Edges, _by_blocks
from tests.benchmarks.policies import workloads


@pytest.mark.parametrize("compiled", [False, True])
def test_loop__same_panel__equals_the_blocks(compiled: bool) -> None:
    loop = kernel.compiled() if compiled else kernel._loop
    if loop is None:
        pytest.skip("numba is not installed")
    prices, ideal = workloads.synthetic(5, 700, 3, workloads.DAYS).prices, np.full(5, 0.2)
    edges = Edges(ideal - 0.05, ideal + 0.05, ideal, ideal, ideal)
    values, bars, closest = loop(prices, edges.starts_low, edges.starts_high, ideal, np.array([1e6, 1e-3, 2.0]))
    other_values, other_bars, other_closest = _by_blocks(prices, edges, 1e6 * ideal, (1e-3, 2.0))
    assert bars.tolist() == other_bars.tolist()
    assert len(bars) > 5
    assert values == pytest.approx(other_values, rel=1e-12)
    assert closest == pytest.approx(other_closest, abs=1e-13)
