"""Durations in words: the two largest units that matter."""

from __future__ import annotations

import pytest

from policies.words import show_duration


@pytest.mark.parametrize(
    ("seconds", "expected"), [(59, "59 s"), (3900, "1 h 5 m"), (0, "0 s"), (-90, "-1 m 30 s"), (90_061, "1 d 1 h"), (604_788, "6 d 23 h")]
)
def test_show_duration__seconds__reads_well(seconds: int, expected: str) -> None:
    assert show_duration(seconds) == expected
