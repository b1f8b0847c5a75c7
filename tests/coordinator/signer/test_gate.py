"""The gate over whole transactions: everything the rails make passes; what each rule is for does not."""

from __future__ import annotations

from collections import Counter

from coordinator.signer.gate import Gate
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import NOW


def test_gate__everything_that_every_rail_makes__is_signed(gate: Gate, all_genuine: list[Genuine]) -> None:
    kinds = Counter(one.kind.split()[0] for one in all_genuine)
    assert len(all_genuine) >= 100
    assert set(kinds) == {"cctp", "hyperlane", "uniswap", "wrapped-native", "solana-amm"}
    for one in all_genuine:
        verdict = gate.judge(one.account, one.unsigned, NOW)
        assert verdict.effects, one.kind
