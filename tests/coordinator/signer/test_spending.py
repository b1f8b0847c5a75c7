"""Sliding windows: whatever is asked, in whatever order, no window at any offset holds more than its cap."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from coordinator.signer.policy import Cap, Policy
from coordinator.signer.spending import MICRO, Spending
from coordinator.signer.verdict import Effect, Refused, Verdict
from tests.coordinator.signer.world import World

NATIVE = "eip155:31337001/slip44:60"
TOKENS = ["a", "b", "c"]
WINDOW, CAP, USD = 100, 1_000, 2_000


@pytest.fixture
def small(made: World) -> Policy:
    """Three tokens of a dollar a unit, each capped at $1,000 a window, and $2,000 together."""
    caps = {token: Cap(CAP, CAP) for token in [*TOKENS, NATIVE]}
    prices = {token: Fraction(MICRO) for token in [*TOKENS, NATIVE]}
    return replace(made.policy, caps=caps, prices=prices, window=WINDOW, window_usd=Fraction(USD * MICRO), fees_usd=Fraction(50 * MICRO))


def ask(spending: Spending, token: str, units: int, at: int, fee: int = 0) -> bool:
    try:
        spending.add(spending.check(Verdict((Effect("burn", token, units),), NATIVE, fee), at))
    except Refused:
        return False
    return True


@pytest.mark.parametrize("seed", range(30))
def test_check__adversarial_splitting__every_window_within_its_caps(seed: int, small: Policy) -> None:
    rng, spending, signed, at = Random(seed), Spending(small), [], 0
    for _ in range(300):
        at += rng.choice([0, 0, 1, 3, WINDOW - 1, WINDOW]) if rng.random() < 0.4 else 0
        token, units = rng.choice(TOKENS), rng.choice([1, CAP, CAP // 2, CAP // 3, rng.randint(1, CAP)])
        if ask(spending, token, units, at):
            signed.append((at, token, units))
    assert len(signed) > 5
    for start, _, _ in signed:
        inside = [(token, units) for when, token, units in signed if start <= when < start + WINDOW]
        assert sum(units for _, units in inside) <= USD
        assert all(sum(units for one, units in inside if one == token) <= CAP for token in TOKENS)


def test_check__exactly_the_cap__is_allowed_and_one_more_is_not_until_the_window_has_passed(small: Policy) -> None:
    spending = Spending(small)
    assert ask(spending, "a", CAP, 10)
    assert not ask(spending, "a", 1, 10 + WINDOW - 1)
    assert ask(spending, "a", 1, 10 + WINDOW)


def test_check__fees__have_a_window_of_their_own(small: Policy) -> None:
    spending = Spending(small)
    assert ask(spending, "a", 1, 0, fee=50)
    assert not ask(spending, "a", 1, 1, fee=1)
    assert ask(spending, "a", 1, WINDOW, fee=1)


def test_check__token_without_price__is_refused(small: Policy) -> None:
    with pytest.raises(Refused, match="price"):
        Spending(replace(small, prices={NATIVE: Fraction(1)})).check(Verdict((Effect("burn", "a", 1),), NATIVE, 0), 0)


def test_now__clock_that_goes_back__stands_still(small: Policy) -> None:
    spending = Spending(small)
    assert ask(spending, "a", CAP, 1_000)
    assert spending.now(0) == 1_000
