"""The judge is able to fail: executors with the mistakes of well-known software are caught."""

from __future__ import annotations

import pytest

from tests.simulation import campaign
from tests.simulation.broken import BROKEN

WITHIN = 1_000  # seeds
BATCH = 50


@pytest.mark.parametrize("maker", sorted(BROKEN))
def test_judge__executor_wrong_on_purpose__caught_within_a_thousand_seeds(maker: str) -> None:
    for base in range(0, WITHIN, BATCH):
        for seed in range(base, base + BATCH):
            found = campaign.outcome_of(seed, maker).violations
            if any(violation.invariant in {"S1", "S2", "S3", "S4", "S12", "S14", "L2"} for violation in found):
                return
    pytest.fail(f"{WITHIN} seeds, and nobody noticed that the executor {maker}")
