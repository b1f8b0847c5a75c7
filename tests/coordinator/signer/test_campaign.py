"""The mutation campaign as a test: none of 20,000 mutants that change where value goes is signed, and a gate with a hole is found out."""

from __future__ import annotations

import pytest

from coordinator.signer.evm import calls, transaction
from tests.coordinator.signer import evm_mutants, solana_mutants
from tests.coordinator.signer.campaign import attack
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import World

MUTANTS = 20_000


def test_attack__mutants_of_every_class_and_rail__none_signed(made: World, all_genuine: list[Genuine]) -> None:
    tally = attack(made, all_genuine, MUTANTS, seed=20)
    assert tally.signed == []
    assert tally.mutants == MUTANTS
    assert set(tally.classes) == {*evm_mutants.CLASSES, *solana_mutants.CLASSES}
    assert len(tally.classes) >= 50
    assert tally.refused + tally.same == MUTANTS


@pytest.mark.parametrize("hole", ["check_floor", "check_frame", "canonical"])
def test_attack__gate_with_a_hole__is_found_out(
    hole: str, made: World, all_genuine: list[Genuine], monkeypatch: pytest.MonkeyPatch
) -> None:
    if hole == "check_floor":
        monkeypatch.setattr(calls, "check_floor", lambda *_: None)
    elif hole == "check_frame":
        monkeypatch.setattr(transaction, "check_frame", lambda *_: None)
    else:
        monkeypatch.setattr(transaction.Transaction, "encode", lambda self: None)
        monkeypatch.setattr(transaction, "need", lambda holds, rule, *_: None)
    assert attack(made, all_genuine, 4_000, seed=1).signed
