"""Nonce gaps: found when nothing of ours fills them, and only then."""

from __future__ import annotations

from dataclasses import replace

from chains.simulated import transfer
from coordinator.saga.gaps import gap_below

from .conftest import ALPHA, Treasury


async def test_gap_below__lower_nonce_vanished__is_named(treasury: Treasury) -> None:
    chain, account = treasury.chains[ALPHA], treasury.accounts[ALPHA]
    pending = await chain.prepare(account, [transfer(treasury.usdc[ALPHA].id, account.address, 1)], 3)
    assert await gap_below(chain, treasury.journal, pending) == 0


async def test_gap_below__next_in_turn_or_without_nonce__is_none(treasury: Treasury) -> None:
    chain, account = treasury.chains[ALPHA], treasury.accounts[ALPHA]
    pending = await chain.prepare(account, [transfer(treasury.usdc[ALPHA].id, account.address, 1)], 0)
    assert await gap_below(chain, treasury.journal, pending) is None
    assert await gap_below(chain, treasury.journal, replace(pending, sequence=None)) is None
