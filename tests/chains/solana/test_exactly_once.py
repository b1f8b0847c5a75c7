"""Whatever the wire does, an intent is paid exactly once: seeded runs of drops, lost answers, delays, forks and silence."""

from __future__ import annotations

import contextlib
import random

import pytest

from chains.base import Dead, Landed, Submission
from chains.errors import Fault
from chains.solana.chain import SolanaChain

from .conftest import OTHER, World

LAMPORTS = 10_000_000
STEPS = 400
LATE_LANDING = 140  # slots; a transaction may come to light just before its blockhash expires


def _trouble(world: World, dice: random.Random) -> None:
    """The weather of the next step."""
    faults = world.node.faults
    faults.http_status = dice.choice([0, 0, 0, 0, 503, 503])
    faults.drop_next = dice.choice([0, 0, 1, 5, 50])
    faults.lose_response = dice.choice([0, 0, 1])
    faults.delay_slots = dice.choice([0, 0, 10, LATE_LANDING])
    if dice.random() < 0.2:
        world.node.reorg(dice.randint(1, 31))
    world.node.tick(dice.choice([1, 3, 10, 60]))


def _calm(world: World) -> None:
    faults = world.node.faults
    faults.http_status = faults.drop_next = faults.lose_response = faults.delay_slots = 0


async def _step(world: World, attempts: list[Submission]) -> Landed | None:
    """What the executor does at one look: fate first; sign anew only after proof of death; else send the same bytes."""
    chain: SolanaChain = world.chain
    fate = await chain.fate(attempts[-1]) if attempts else Dead("never signed")
    if isinstance(fate, Landed):
        return fate
    if isinstance(fate, Dead):
        attempts.append(await chain.prepare(world.account, [world.pay(LAMPORTS)], None))
    await chain.submit(attempts[-1])
    return None


@pytest.mark.parametrize("seed", range(8))
async def test_intent__sent_through_any_weather__is_paid_once(world: World, seed: int) -> None:
    dice = random.Random(seed)
    attempts: list[Submission] = []
    landed: Landed | None = None
    for step in range(STEPS):
        if step < STEPS // 4:
            _trouble(world, dice)
        else:
            _calm(world)
            world.node.tick(5)
        with contextlib.suppress(Fault):
            landed = await _step(world, attempts)
        if landed is not None:
            break
    assert landed is not None
    assert landed.receipt.reference == attempts[-1].reference
    _calm(world)
    world.node.tick(400)  # what was only late would land now
    assert world.lamports() == LAMPORTS, f"{len(attempts)} attempts, {OTHER.pubkey()} got {world.lamports()}"
