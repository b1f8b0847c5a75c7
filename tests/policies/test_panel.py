"""The table of bad prices: each a clear refusal, or behaviour that is defined."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from policies.panel import BadPrices, panel, read

WIDE = "time,BTC,ETH\n2024-01-01 00:00:00,100,10\n2024-01-01 01:00:00,101,11\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "p.csv, line 1: no time column"),
        ("time,BTC\n", "p.csv: no prices; at least one bar of one asset is needed"),
        ("when,BTC\n1,2\n", "no time column; the header must have one of time, timestamp, date"),
        ("time,BTC\n1,2,3\n", "line 2: 3 fields, the header has 2"),
        ("time,BTC\nyesterday,2\n", 'line 2: "yesterday" is no time; write 2024-01-31 15:00:00'),
        ("time,BTC\n1,much\n", 'line 2: "much" is no price; write a decimal number, or leave the field empty'),
        ("time,BTC\n1,0\n", "BTC at 1970-01-01 00:00:01 is 0; a price is above zero and finite"),
        ("time,BTC\n1,-5\n", "BTC at 1970-01-01 00:00:01 is -5"),
        ("time,BTC\n1,inf\n", "BTC at 1970-01-01 00:00:01 is inf"),
        ("time,BTC\n1,5\n1,6\n", "1970-01-01 00:00:01 is there twice; keep one of the rows"),
        ("time,BTC\n2,5\n1,6\n", "1970-01-01 00:00:01 comes after 1970-01-01 00:00:02; sort the rows by time, oldest first"),
        ("time,BTC,BTC\n1,5,6\n", "asset BTC is there twice; an asset is one column"),
        ("time,BTC,ETH\n1,5,\n2,6,nan\n", "ETH has no price at all; leave it out"),
        ("time,asset,open\n1,BTC,5\n", "no price column; a table with an asset column needs one of close, price"),
        ("time,asset,close\n1,BTC,5\n1,BTC,6\n", "line 3, BTC: 1970-01-01 00:00:01 is there twice"),
        ("time,asset,close\n2,BTC,5\n1,BTC,6\n", "line 3, BTC: 1970-01-01 00:00:01 comes after"),
    ],
)
def test_read__bad_table__is_told_where_and_how_to_mend(text: str, told: str) -> None:
    with pytest.raises(BadPrices) as refusal:
        read(text.splitlines(keepends=True), "p.csv")
    assert told in str(refusal.value)


def test_read__wide__times_are_utc_and_prices_exact() -> None:
    found = read(WIDE.splitlines(keepends=True))
    assert (found.times, found.assets, found.step) == ((1_704_067_200, 1_704_070_800), ("BTC", "ETH"), 3600)
    assert found.exact(1) == {"BTC": Fraction(101), "ETH": Fraction(11)}


def test_read__long__assets_may_be_mixed_and_gaps_stay_empty() -> None:
    found = read(["time,asset,close\n", "1,ETH,0.1\n", "1,BTC,5\n", "2,BTC,6\n"])
    assert found.assets == ("BTC", "ETH")
    assert (found.complete, found.exact(1)) == (False, {"BTC": Fraction(6)})
    assert found.exact(0)["ETH"] == Fraction(1, 10)  # as written, not as the float


def test_panel__new_and_vanished_asset__cut_out_as_asked() -> None:
    found = panel([1, 2, 3, 4], ["A", "B"], np.array([[1, np.nan], [1, 2], [np.nan, 2], [3, 4]]))
    assert found.started().times == (2, 3, 4)
    assert found.common().times == (2, 4)
    with pytest.raises(BadPrices, match="no bar at which all of A, B have a price"):
        panel([1, 2], ["A", "B"], np.array([[1, np.nan], [np.nan, 2]])).started()


def test_panel__gaps__are_listed_with_their_length() -> None:
    assert panel([0, 10, 20, 50, 60], ["A"], np.ones((5, 1))).gaps() == [(20, 30)]


def test_panel__unknown_asset__is_told_with_what_is_there() -> None:
    with pytest.raises(BadPrices, match="no prices of SOL; the table has BTC, ETH"):
        read(WIDE.splitlines(keepends=True)).chosen(["SOL"])
