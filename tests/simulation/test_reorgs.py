"""Reorganisations of every depth short of finality, in every state of a leg."""

from __future__ import annotations

import pytest

from coordinator.saga.machine import State
from tests.simulation.reorgs import SENDING, forks

DEEPEST = 64
WHERE = {
    State.WAITING: "evm to evm, claimed",
    State.DEPARTING: "evm to evm, claimed",
    State.IN_TRANSIT: "evm to evm, claimed",
    State.CLAIMING: "evm to evm, claimed",
    State.UNDOING: "undone",
}


@pytest.mark.parametrize("state", WHERE, ids=lambda state: state.value)
def test_reorganisation__depth_1_to_64_in_every_state__lands_once_and_reconciles(state: State) -> None:
    found = forks(WHERE[state], state, range(1, DEEPEST + 1), finality=DEEPEST)
    end = ("abandoned", "abandoned") if state is State.UNDOING else ("delivered", "delivered")
    assert {depth: (run.violations, run.ends) for depth, run in found.items() if run.violations or run.ends != end} == {}
    assert all(run.struck for run in found.values())
    if state in SENDING:
        assert all(run.hit for run in found.values()), "a transaction is taken out of its block at every depth"


@pytest.mark.parametrize("state", [State.DEPARTING, State.IN_TRANSIT, State.CLAIMING], ids=lambda state: state.value)
def test_reorganisation__on_a_chain_without_nonces__lands_once_and_reconciles(state: State) -> None:
    found = forks("solana to evm, claimed" if state is State.DEPARTING else "evm to solana, claimed", state, range(1, 9), finality=8)
    assert [run for run in found.values() if run.violations or run.ends != ("delivered", "delivered")] == []
    assert sum(run.struck for run in found.values()) >= 8
