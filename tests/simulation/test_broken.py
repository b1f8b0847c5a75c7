"""The judge is able to fail: executors with the mistakes of well-known software are caught."""

from __future__ import annotations

import pytest

from tests.simulation import campaign
from tests.simulation.broken import BROKEN

WITHIN = 1_000  # seeds
HARM = {"S1", "S13", "S14"}  # seen on the chains: something happened twice, or its value left a leg that says otherwise


@pytest.mark.parametrize("maker", sorted(BROKEN))
def test_judge__executor_wrong_on_purpose__caught_within_a_thousand_seeds(maker: str) -> None:
    for seed in range(WITHIN):
        if any(violation.invariant in HARM for violation in campaign.outcome_of(seed, maker).violations):
            return
    pytest.fail(f"{WITHIN} seeds, and nobody noticed that the executor {maker}")
