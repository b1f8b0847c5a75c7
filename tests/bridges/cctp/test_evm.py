"""One end of CCTP on an EVM chain: whose events count, and how much a claim is proof of."""

from __future__ import annotations

import dataclasses

import pytest

from bridges.cctp.attestation import Attestation
from bridges.cctp.evm import EvmEnd
from bridges.cctp.message import Attested
from chains.base import Movement


@pytest.fixture
def minted(cctp, attest, signed_by):
    """(end, chain, attestation, leg): the target's end, and a message of 1,000 USDC attested for it."""
    setting = cctp()
    leg = setting.leg("standard")
    message = attest(signed_by(setting, leg))
    chain = setting.target
    end = EvmEnd(setting.settings.chains[chain.id], chain, chain.usdc)
    return end, chain, Attestation(message, b"\xaa" * 65, Attested.read(message)), leg


async def test_sent__same_event_of_another_contract__is_left_out(cctp):
    setting = cctp()
    end = EvmEnd(setting.settings.chains[setting.source.id], setting.source, setting.source.usdc)
    ours, foreign = setting.source.burned(b"ours"), setting.source.burned(b"foreign", emitter="0x" + "9" * 40)
    assert end.sent(dataclasses.replace(ours, logs=foreign.logs + ours.logs)) == [b"ours"]


async def test_mint__claimed__is_what_the_transaction_moved(minted):
    end, chain, attestation, leg = minted
    chain.claimed(attestation.message, 10**9)
    found = await end.mint(attestation, leg.recipient, 0)
    assert (found.units, found.receipt) == (10**9, chain.receipts[0])


async def test_mint__before_since__is_not_looked_at(minted):
    end, chain, attestation, leg = minted
    chain.claimed(attestation.message, 10**9)
    assert await end.mint(attestation, leg.recipient, chain.height + 1) is None


@pytest.mark.parametrize(("moved", "counts"), [(10**9 - 5, 10**9 - 5), (10**9 + 5, 10**9), (0, 0), (-3, 0)])
async def test_mint__event_and_movement_disagree__the_smaller_counts(minted, moved, counts):
    end, chain, attestation, leg = minted
    chain.claimed(attestation.message, 10**9, movements=(Movement(leg.recipient, chain.usdc.id, moved),))
    assert (await end.mint(attestation, leg.recipient, 0)).units == counts


async def test_mint__given_to_somebody_else__is_nothing_for_us(minted):
    end, chain, attestation, leg = minted
    chain.receipts.append(chain.receipt(chain.mint_logs(attestation.message, 10**9, to="0x" + "7" * 40), 10**9))
    assert (await end.mint(attestation, leg.recipient, 0)).units == 0


@pytest.mark.parametrize("field", [slice(4, 8), slice(44, 76), slice(148 + 100, 148 + 132)])
async def test_mint__nonce_taken_by_another_message__is_nothing_for_us(minted, field):
    end, chain, attestation, leg = minted
    other = bytearray(attestation.message)
    other[field] = bytes(byte ^ 1 for byte in other[field])
    chain.claimed(bytes(other), 10**9)
    assert (await end.mint(attestation, leg.recipient, 0)).units == 0


async def test_refusal__claim_that_would_pass__is_empty(minted):
    end, chain, attestation, _ = minted
    claim = end.claim(attestation.message, attestation.signatures)
    assert await end.refusal(claim) == ""
    chain.refusal = "Nonce already used"
    assert await end.refusal(claim) == "Nonce already used"
