"""Every formula against its check values: the table of `laws`, one test a row."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.policies import laws_backtest
from tests.policies.laws import LAWS, ROWS, comparisons


@pytest.mark.parametrize("row", [row for row in ROWS if row["law"] in LAWS], ids=lambda row: row["id"])
def test_law__check_value__equal_within_its_tolerance(row: dict[str, Any]) -> None:
    if laws_backtest.needs_fixture(row) and laws_backtest.FIXTURES not in os.environ:
        pytest.skip(f"recorded prices are not here: set {laws_backtest.FIXTURES}")
    off = [(name, value, ours) for name, value, ours, _, part in comparisons(row, LAWS[row["law"]](row["inputs"])) if part > 1]
    assert off == []
