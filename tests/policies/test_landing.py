"""Tests of landing inside bands with few legs."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from policies.base import Band, Targets
from policies.landing import landed
from tests.policies.folio import bands, points

W = {"A": Fraction(27, 100), "B": Fraction(20, 100), "C": Fraction(19, 100), "D": Fraction(18, 100), "E": Fraction(16, 100)}


def test_landed__one_pair_suffices__two_legs_to_the_inner_band() -> None:
    found = landed(W, bands("0.03", A="0.2", B="0.2", C="0.2", D="0.2", E="0.2"))
    assert (found.after["A"], found.after["E"], found.legs, found.turnover) == (Fraction(23, 100), Fraction(1, 5), 2, Fraction(8, 100))


def test_landed__all_inside__nothing_moves() -> None:
    assert landed(W, bands("0.07", A="0.2", B="0.2", C="0.2", D="0.2", E="0.2")).legs == 0  # exactly on the edge is inside


def test_landed__to_points__exactly_the_targets() -> None:
    found = landed(W, points(A="0.2", B="0.2", C="0.2", D="0.2", E="0.2"))
    assert set(found.after.values()) == {Fraction(1, 5)}


def test_landed__equal_distances__first_named_trades() -> None:
    found = landed({"A": Fraction(1, 2), "B": Fraction(1, 2), "C": Fraction(0)}, bands("0.1", A="0.3", B="0.3", C="0.4"))
    assert found == landed({"A": Fraction(1, 2), "B": Fraction(1, 2), "C": Fraction(0)}, bands("0.1", A="0.3", B="0.3", C="0.4"))
    assert list(found.after.values()) == [Fraction(3, 10), Fraction(4, 10), Fraction(3, 10)]


def test_landed__asset_without_a_band__is_left_alone() -> None:
    found = landed({"A": Fraction(1, 2), "X": Fraction(1, 4), "B": Fraction(1, 4)}, points(A="0.4", B="0.35"))
    assert (found.after["X"], found.after["A"], found.after["B"]) == (Fraction(1, 4), Fraction(4, 10), Fraction(35, 100))


def test_landed__bands_that_cannot_all_be_met__never_below_nothing() -> None:
    found = landed(
        {"A": Fraction(1, 10), "B": Fraction(9, 10)},
        Targets({"A": Band(Fraction(9, 10), Fraction(9, 10), None), "B": Band(Fraction(9, 10), None, None)}),
    )
    assert min(found.after.values()) >= 0
    assert sum(found.after.values()) == 1


def test_landed__single_asset_or_none__nothing_to_trade() -> None:
    assert landed({"A": Fraction(1)}, points(A="0.5")).legs == 0
    assert landed({}, Targets({})).legs == 0


@given(st.lists(st.integers(0, 100), min_size=2, max_size=7), st.lists(st.integers(1, 100), min_size=7, max_size=7), st.integers(0, 20))
def test_landed__any_weights__inside_the_bands_and_sum_kept(held: list[int], wanted: list[int], percent: int) -> None:
    whole = sum(held) or 1
    held = held if sum(held) else [1] + [0] * (len(held) - 1)
    weights = {str(i): Fraction(x, whole) for i, x in enumerate(held)}
    ideals = {str(i): Fraction(x, sum(wanted[: len(held)])) for i, x in enumerate(wanted[: len(held)])}
    targets = bands(Fraction(percent, 100), **ideals)
    found = landed(weights, targets)
    assert sum(found.after.values()) == 1
    assert all(targets.assets[asset].holds(weight) for asset, weight in found.after.items())
