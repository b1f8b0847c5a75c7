"""A death at every boundary of every arrangement, and a second one within the step that the first one interrupted."""

from __future__ import annotations

import pytest

from tests.simulation.arranged import ARRANGEMENTS
from tests.simulation.crash_points import Death, pairs, singles

EXPECTED = {"undone": ("abandoned", "abandoned"), "refunded": ("refunded", "abandoned")}
EVERY = {"evm to solana, claimed": 23, "undone": 23}  # `make soak-crash` takes every one


def wrong(deaths: list[Death]) -> list[str]:
    return [f"died at {d.at} ({d.lives[0][-1]}): {d.ends} {d.violations}" for d in deaths if d.violations or d.ends != ends(d.arrangement)]


def ends(arrangement: str) -> tuple[str, ...]:
    return EXPECTED.get(arrangement, ("delivered", "delivered"))


@pytest.mark.parametrize("arrangement", sorted(ARRANGEMENTS))
def test_death__at_every_boundary__same_end_and_nothing_twice(arrangement: str) -> None:
    tried = list(singles(arrangement))
    assert wrong(tried) == []
    assert len(tried) > 60


@pytest.mark.parametrize("arrangement", sorted(EVERY))
def test_death__twice_within_a_step__same_end_and_nothing_twice(arrangement: str) -> None:
    tried = list(pairs(arrangement, EVERY[arrangement]))
    assert wrong(tried) == []
    assert len(tried) > 30
