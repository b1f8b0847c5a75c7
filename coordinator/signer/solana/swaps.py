"""Swap instructions of Solana as the signer reads them: between two of our own token accounts, for a floor of our own.

`pool`: one byte 1, seven of padding, amount in u64, least out u64; accounts pool, authority, user, source, target, two vaults,
token program. `jupiter-v6`: `route` of Jupiter's aggregator (github.com/jup-ag/instruction-parser): its arguments end in
in_amount u64, quoted_out_amount u64, slippage_bps u16, platform_fee_bps u8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from coordinator.signer.floor import check_floor
from coordinator.signer.solana import addresses
from coordinator.signer.solana.instructions import Decoder, Part, Step
from coordinator.signer.verdict import Effect, need

_POOL = struct.Struct("<B7sQQ")
_ROUTE = bytes([229, 23, 203, 151, 122, 227, 173, 42])  # sha256("global:route")[:8]
_ROUTE_TAIL = struct.Struct("<QQHB")
_BPS = 10_000


@dataclass(frozen=True, slots=True)
class _Terms:
    """Places in the instruction's accounts of our two token accounts, and what goes in and must come out."""

    source: int
    target: int
    units: int
    least: int


def pool(step: Step) -> Part:
    need(len(step.data) == _POOL.size and len(step.keys) == 8, "instruction", f"{len(step.data)} bytes for a pool", "its swap")
    number, padding, units, least = _POOL.unpack(step.data)
    need(number == 1 and padding == bytes(7), "instruction", f"0x{step.data[:8].hex()} for a pool", "its swap")
    uses = step.uses("?-swwww-")
    step.wants(2, step.rules.account, "user")
    step.wants(7, addresses.TOKEN, "token program")
    return Part(_effects(step, _Terms(3, 4, units, least)), uses)


def jupiter(step: Step) -> Part:
    long_enough = len(step.data) >= 12 + _ROUTE_TAIL.size and len(step.keys) >= 9
    need(long_enough and step.data[:8] == _ROUTE, "instruction", f"0x{step.data[:8].hex()} for Jupiter", "`route`")
    units, quoted, slippage, fee = _ROUTE_TAIL.unpack(step.data[-_ROUTE_TAIL.size :])
    need(fee == 0, "platform-fee", f"{fee} bps", 0)
    need(slippage <= _BPS, "instruction", f"a slippage of {slippage} bps", _BPS)
    uses = step.uses("?S" + "?" * (len(step.keys) - 2))
    step.wants(0, addresses.TOKEN, "token program")
    step.wants(1, step.rules.account, "user")
    itself = step.message.keys[step.instruction.program]
    need(step.keys[4] in {itself, step.keys[3]}, "recipient", addresses.text(step.keys[4]), addresses.text(step.keys[3]))
    need(step.keys[6] == itself, "platform-fee", f"a fee account {addresses.text(step.keys[6])}", "none")
    terms = _Terms(2, 3, units, quoted * (_BPS - slippage) // _BPS)
    effects = _effects(step, terms)
    need(addresses.token_account(step.rules.account, step.keys[5]) == step.keys[3], "accounts", "a mint of another account", "the target's")
    return Part(effects, uses)


LAYOUTS: dict[str, Decoder] = {"pool": pool, "jupiter-v6": jupiter}


def _effects(step: Step, terms: _Terms) -> tuple[Effect, ...]:
    """Both ends are our own accounts of a pair of the policy, and no other account of ours is touched. Raises Refused."""
    own = {addresses.token_account(step.rules.account, mint): mint for mint in step.rules.tokens}
    source, target = own.get(step.keys[terms.source]), own.get(step.keys[terms.target])
    need(source is not None, "accounts", f"{addresses.text(step.keys[terms.source])} as source", "our own token account")
    need(target is not None, "recipient", addresses.text(step.keys[terms.target]), "our own token account")
    need((source, target) in step.rules.pairs, "pair", "a swap between two of our accounts", "the pairs of the policy")
    assert source is not None
    assert target is not None
    private = set(own) - {step.keys[terms.source], step.keys[terms.target]}
    touched = [addresses.text(one) for one in step.keys if one in private]
    need(not touched, "accounts", f"our other token accounts {', '.join(touched)}", "source and target only")
    need(terms.units > 0, "amount", "a swap of 0", "more than 0")
    given, taken = step.rules.tokens[source], step.rules.tokens[target]
    check_floor(step.policy, (given, terms.units), (taken, terms.least))
    return (Effect("swap", given, terms.units),)
