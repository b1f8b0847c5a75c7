"""Bringing the books up to date: what could not be looked into stays open, and the next look names it."""

from __future__ import annotations

from pathlib import Path

from chains.simulated import Pace, SimulatedNetwork, SimulatedWorld, transfer
from coordinator.books import bring_up_to_date
from coordinator.clock import SimulatedClock
from coordinator.journal.store import Journal
from coordinator.ledger.entry import DEPOSITS
from coordinator.ledger.reconcile import unexplained
from tests.coordinator.made import ETH_A, USDC_A, A


async def test_bring_up_to_date__search_fails_once__gap_stays_then_is_a_deposit(tmp_path: Path) -> None:
    clock = SimulatedClock()
    world = SimulatedWorld(clock)
    network = world.add(SimulatedNetwork(ETH_A, Pace(block_s=1, finality=1)))
    network.add(USDC_A)
    network.fund(A, USDC_A.id, 70)
    giver = network.account("giver")
    network.fund(giver, USDC_A.id, 30)
    chain, journal = world.chain(A.chain), Journal.open(tmp_path / "journal.sqlite3", clock)
    readers = {A.chain: chain}
    await bring_up_to_date(journal, readers, [await chain.snapshot([A], [USDC_A])], [])
    network.send_as(giver, [transfer(USDC_A.id, A.address, 30)])
    world.finalize()

    snapshot = await chain.snapshot([A], [USDC_A])
    network.faults.failing = 1
    (line,) = await bring_up_to_date(journal, readers, [snapshot], [])
    assert line.gap == 30
    assert "did not answer" in line.hindered
    (line,) = await bring_up_to_date(journal, readers, [snapshot], [])
    assert (line.gap, line.hindered) == (0, "")
    assert journal.book().balances()[DEPOSITS, USDC_A.id] == -30
    assert not any(unexplained(journal.book()).values())
