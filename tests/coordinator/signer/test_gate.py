"""The gate over whole transactions: everything the rails make passes; each rule refuses what it is for, by its name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from solders.message import from_bytes_versioned

from chains.evm.transactions import Unsigned
from coordinator.signer.gate import Gate
from coordinator.signer.verdict import Refused
from tests.coordinator.signer import evm_mutants, solana_mutants
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import NOW, World

RULES = {
    "evm recipient": {"recipient"},
    "evm amount": {"cap", "approval", "floor"},
    "evm nothing": {"amount"},
    "evm spender": {"spender"},
    "evm unlimited": {"approval"},
    "evm chain": {"chain-id"},
    "evm fee": {"fee-cap", "priority-fee-cap", "gas-cap"},
    "evm value": {"value", "message-fee", "cap"},
    "evm domain": {"domain"},
    "evm token": {"token", "pair"},
    "evm floor": {"floor"},
    "evm deadline": {"deadline"},
    "evm price_limit": {"price-limit"},
    "evm nested": {"multicall", "selector"},
    "evm loose_rlp": {"encoding"},
    "evm dirty": {"call-data"},
    "evm bridge_terms": {"destination-caller", "bridge-fee", "finality"},
    "evm another_account": {"chain-id", "message-version"},
    "evm frame": {"transaction-type", "access-list", "contract-creation", "encoding"},
    "solana recipient": {"recipient", "accounts"},
    "solana amount": {"cap", "floor", "wrapping"},
    "solana floor": {"floor"},
    "solana program": {"program"},
    "solana payer": {"payer"},
    "solana domain": {"domain"},
    "solana durable_nonce": {"durable-nonce"},
    "solana cosigner": {"signers", "accounts", "instruction"},
    "solana lookup": {"lookup-table"},
    "solana legacy": {"message-version"},
    "solana twice": {"shape", "encoding"},
    "solana wrapping": {"wrapping", "recipient", "accounts"},
    "solana closing": {"recipient"},
    "solana slippage": {"floor", "platform-fee", "instruction"},
    "solana loose_sizes": {"not-canonical"},
    "solana another_account": {"transaction-type"},
}


def test_gate__everything_that_every_rail_makes__is_signed(gate: Gate, all_genuine: list[Genuine]) -> None:
    kinds = Counter(one.kind.split()[0] for one in all_genuine)
    assert len(all_genuine) >= 200
    assert set(kinds) == {"cctp", "hyperlane", "uniswap", "wrapped-native", "solana-amm"}
    for one in all_genuine:
        verdict = gate.judge(one.account, one.unsigned, NOW)
        assert verdict.effects, one.kind


@pytest.mark.parametrize("name", RULES)
def test_gate__mutants_of_a_class__are_refused_by_the_rules_for_it(name: str, gate: Gate, made: World, all_genuine: list[Genuine]) -> None:
    rng, found = Random(name), set()
    evm = name.startswith("evm")
    mutate = (evm_mutants.CLASSES if evm else solana_mutants.CLASSES)[name]
    accounts = list(made.policy.accounts)
    for one in all_genuine * 3:
        if one.account.startswith("eip155:") != evm:
            continue
        case = (evm_mutants.Case if evm else solana_mutants.Case)(
            rng, one, Unsigned.decode(one.unsigned) if evm else from_bytes_versioned(one.unsigned), made
        )
        mutant = mutate(case)
        if mutant is None:
            continue
        account = rng.choice([a for a in accounts if a != one.account]) if name.endswith("another_account") else one.account
        with pytest.raises(Refused) as refusal:
            gate.judge(account, mutant, NOW)
        found.add(refusal.value.rule)
    assert found
    assert found <= RULES[name]


def test_gate__unknown_account__is_refused_without_its_text_in_the_log(gate: Gate) -> None:
    with pytest.raises(Refused, match=r"account: 'a\\nb'"):
        gate.judge("a\nb", b"\x02", NOW)


def test_gate__token_without_cap__cannot_move(made: World, all_genuine: list[Genuine]) -> None:
    one = next(one for one in all_genuine if one.kind == "cctp burn")
    gate = Gate(replace(made.policy, caps={}))
    with pytest.raises(Refused, match="cap"):
        gate.judge(one.account, one.unsigned, NOW)


def test_gate__token_without_price__is_not_swapped(made: World, all_genuine: list[Genuine]) -> None:
    gate = Gate(replace(made.policy, prices={}))
    for one in all_genuine:
        if one.kind in {"uniswap swap", "solana-amm on Solana"}:
            with pytest.raises(Refused, match="price"):
                gate.judge(one.account, one.unsigned, NOW)
