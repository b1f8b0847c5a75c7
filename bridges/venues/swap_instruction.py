"""The judgement of a swap instruction that somebody else wrote: it may only do what the leg says, or nothing is signed.

Two layouts are known. `jupiter-v6`: `route` of Jupiter's aggregator (github.com/jup-ag/instruction-parser): the
arguments end in in_amount u64, quoted_out_amount u64, slippage_bps u16, platform_fee_bps u8. `pool`: one byte 1, seven
of padding, amount_in u64, least_out u64; accounts pool, authority, user, source, target, vaults, token program.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from bridges.venues.jupiter import Instruction, Instructions
from bridges.venues.settings import Layout
from chains.errors import Misconfigured, OutsideTerms

SYSTEM = "11111111111111111111111111111111"
SPL = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
ASSOCIATED = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
_WE_DO_OURSELVES = {SYSTEM, SPL, ASSOCIATED}  # set-up that opens and fills our own token accounts

_ROUTE = bytes([229, 23, 203, 151, 122, 227, 173, 42])  # sha256("global:route")[:8]
_ROUTE_TAIL = struct.Struct("<QQHB")
_POOL_SWAP = struct.Struct("<B7xQQ")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the instruction must do: give exactly `units` from `source` and bring at least `least` to `target`.

    Both are token accounts of `user`. `private`: other token accounts of the user, which have no place in it.
    """

    user: str
    source: str
    target: str
    mint_out: str
    units: int
    least: int
    private: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Said:
    """What an instruction says: who signs, which accounts, and at which terms."""

    user: str
    source: str
    target: str
    units: int
    least: int


def judge(answer: Instructions, wanted: Wanted, programs: Mapping[str, Layout]) -> Instruction:
    """The swap instruction, once nothing speaks against it.

    Raises Misconfigured when it would do something else than it should, OutsideTerms when it needs more set-up than is allowed
    or would accept less than the leg does.
    """
    swap = answer.swapInstruction
    layout = programs.get(swap.programId)
    if layout is None:
        raise Misconfigured(f"the swap API names program {swap.programId}; allowed: {', '.join(programs)}. Nothing was signed")
    strange = {step.programId for step in (*answer.setupInstructions, *answer.otherInstructions)} - _WE_DO_OURSELVES
    if strange:
        raise OutsideTerms(f"the route needs set-up by {', '.join(sorted(strange))}, which is not allowed; choose another amount or pair")
    signers = {meta.pubkey for meta in swap.accounts if meta.isSigner}
    if signers != {wanted.user}:
        raise Misconfigured(f"the swap wants signatures of {', '.join(sorted(signers)) or 'nobody'}, allowed is {wanted.user} alone")
    touched = {meta.pubkey for meta in swap.accounts} & wanted.private
    if touched:
        raise Misconfigured(f"the swap touches our other token accounts {', '.join(sorted(touched))}. Nothing was signed")
    said = _route(swap, wanted) if layout == "jupiter-v6" else _pool(swap)
    if (said.user, said.source, said.target) != (wanted.user, wanted.source, wanted.target):
        raise Misconfigured(f"the swap goes from {said.source} to {said.target} for {said.user}, not as asked: {wanted}")
    if said.units != wanted.units:
        raise Misconfigured(f"the swap gives {said.units} base units, the leg {wanted.units}. Nothing was signed")
    if said.least < wanted.least:
        raise OutsideTerms(f"the swap would accept {said.least} base units, the leg wants {wanted.least}")
    return swap


def _pool(swap: Instruction) -> _Said:
    if len(swap.bytes) != _POOL_SWAP.size or swap.bytes[0] != 1 or len(swap.accounts) != 8:
        raise Misconfigured(f"the swap is not the pool's swap instruction: {swap.bytes.hex()}")
    _, units, least = _POOL_SWAP.unpack(swap.bytes)
    _, _, user, source, target, *_ = (meta.pubkey for meta in swap.accounts)
    return _Said(user, source, target, units, least)


def _route(swap: Instruction, wanted: Wanted) -> _Said:
    data = swap.bytes
    if data[:8] != _ROUTE or len(data) < 12 + _ROUTE_TAIL.size or len(swap.accounts) < 9:
        raise Misconfigured(f"the swap is not Jupiter's `route`: {data[:8].hex()} with {len(swap.accounts)} accounts")
    units, quoted, slippage, fee = _ROUTE_TAIL.unpack(data[-_ROUTE_TAIL.size :])
    if fee or slippage > 10_000:
        raise Misconfigured(f"the swap takes a platform fee of {fee} bps, or allows a slippage of {slippage} bps; allowed are 0 and 10,000")
    program, user, source, target, elsewhere, mint = (swap.accounts[0].pubkey, *(meta.pubkey for meta in swap.accounts[1:6]))
    if elsewhere not in (swap.programId, wanted.target):  # an account left out is written as the program itself
        raise Misconfigured(f"the swap pays out to {elsewhere}, not to {wanted.target}. Nothing was signed")
    if program != SPL or mint != wanted.mint_out:
        raise Misconfigured(f"the swap brings {mint} of token program {program}, wanted is {wanted.mint_out} of {SPL}")
    return _Said(user, source, target, units, quoted * (10_000 - slippage) // 10_000)
