"""An independent judge of what a signed mutant would do, with the project's libraries instead of the signer's decoders.

`harm` compares a mutant with the genuine transaction it came from: the same contract, call and tokens, our own account as recipient;
amounts and fees no larger than the caps; floors kept. Amounts, nonces, gas, blockhash and deadlines may differ, and so may which of
our own accounts receives: the signer guards the treasury's border, not the plan.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from eth_abi.abi import decode
from solders.message import MessageV0, from_bytes_versioned

from chains.evm.transactions import Unsigned
from coordinator.signer.policy import EvmRules, Policy, SolanaRules
from tests.coordinator.signer import evm_mutants as evm
from tests.coordinator.signer import solana_mutants as solana
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.world import NOW

FLOOR = Fraction(89, 100)
FREE = {evm.APPROVE: {1}, evm.BURN: {0, 5, 6}, evm.REMOTE: {2}, evm.WITHDRAW: {0}, evm.DEPOSIT: set(), evm.CLAIM: set()}


def harm(policy: Policy, genuine: Genuine, mutant: bytes, now: int = NOW) -> str:
    """What a signature under the mutant would change; empty when value flows as before."""
    rules = policy.accounts[genuine.account]
    if isinstance(rules, SolanaRules):
        return _solana(policy, rules, from_bytes_versioned(genuine.unsigned), from_bytes_versioned(mutant))
    try:
        changed = Unsigned.decode(mutant)
    except ValueError as problem:
        return f"no transaction: {problem}"
    return _evm(policy, rules, (Unsigned.decode(genuine.unsigned), changed), now)


def _evm(policy: Policy, rules: EvmRules, pair: tuple[Unsigned, Unsigned], time: int) -> str:
    was, now = pair
    if (was.to, was.chain_id, was.data[:4]) != (now.to, now.chain_id, now.data[:4]):
        return "another contract, chain or call"
    if now.max_fee > rules.max_fee or now.priority_fee > rules.max_priority_fee or now.gas > rules.max_gas:
        return "fee above its cap"
    name = was.data[:4]
    most = {evm.REMOTE: 10**16, evm.DEPOSIT: policy.caps[rules.native].per_transaction}.get(name, 0)
    if now.value > most:
        return "value"
    if name == evm.MULTICALL:
        return _swap(policy, rules, pair, time)
    before, after = (decode(evm.TYPES[name], one.data[4:]) for one in (was, now))
    if name == evm.CLAIM:
        return _claim(*before, *after)
    if name == evm.BURN and after[1] in rules.cctp.ends and after[2] == rules.cctp.ends[after[1]].recipient:
        before = (before[0], *after[1:3], *before[3:])
    changed = {at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other}
    if changed - FREE[name]:
        return f"arguments {changed - FREE[name]}"
    token = rules.tokens[{evm.BURN: rules.cctp.usdc, evm.REMOTE: rules.route.token}.get(name, bytes.fromhex(was.to[2:]))]
    amounts = [after[at] for at in FREE[name] if at in changed and not (name == evm.BURN and at in {5, 6})]
    return "amount above its cap" if any(units > policy.caps[token].per_transaction for units in amounts) else ""


def _claim(was: bytes, _: bytes, now: bytes, __: bytes) -> str:
    """Nonce, finality, amount and fees are Circle's to say; the rest is ours."""
    kept = [(0, 12), (44, 140), (148, 216), (248, 280)]
    return "" if all(was[a:b] == now[a:b] for a, b in kept) and len(now) == len(was) else "another message"


def _swap(policy: Policy, rules: EvmRules, pair: tuple[Unsigned, Unsigned], time: int) -> str:
    (_, one), (latest, other) = (decode(evm.TYPES[evm.MULTICALL], tx.data[4:]) for tx in pair)
    if len(other) != 1 or other[0][:4] != evm.SWAP or latest > time + policy.max_deadline:
        return "other steps or a later deadline"
    before, after = (decode(evm.SWAP_TYPES, steps[0][4:])[0] for steps in (one, other))
    if before[:2] != after[:2] or before[3] != after[3] or after[6]:
        return "tokens, recipient or price limit"
    if after[2] not in rules.router.fee_tiers:
        return "another pool"
    given, taken = (rules.tokens[bytes.fromhex(token[2:])] for token in after[:2])
    return _floor(policy, (given, after[4]), (taken, after[5]))


def _floor(policy: Policy, gives: tuple[str, int], least: tuple[str, int]) -> str:
    if not 0 < gives[1] <= policy.caps[gives[0]].per_transaction:
        return "amount"
    return "" if policy.prices[least[0]] * least[1] >= policy.prices[gives[0]] * gives[1] * FLOOR else "below the floor"


def _solana(policy: Policy, rules: SolanaRules, was: MessageV0, now: MessageV0) -> str:
    if was.header != now.header or len(was.instructions) != len(now.instructions) or now.address_table_lookups:
        return "another shape"
    free = _free_places(was)
    keys = zip(was.account_keys, now.account_keys, strict=True)
    if any(one != other for place, (one, other) in enumerate(keys) if place not in free):
        return "another account"
    for one, other in zip(was.instructions, now.instructions, strict=True):
        if (one.program_id_index, bytes(one.accounts)) != (other.program_id_index, bytes(other.accounts)):
            return "another instruction"
        if problem := _data(policy, rules, now, bytes(one.data), bytes(other.data), bytes(one.accounts)):
            return problem
    return ""


def _free_places(message: MessageV0) -> set[int]:
    """The pool's own accounts, which the program checks; floor and target stand whatever they are."""
    for step in message.instructions:
        data, accounts = bytes(step.data), bytes(step.accounts)
        if data[:8] == solana.ROUTE:
            return {place for place in accounts[7:] if place != step.program_id_index}
        if len(data) == 24:
            return {accounts[at] for at in (0, 1, 5, 6)}
    return set()


def _data(policy: Policy, rules: SolanaRules, message: MessageV0, was: bytes, now: bytes, places: bytes) -> str:
    if was == now and len(was) < 24:
        return ""
    if was[:1] == b"\x02" and len(was) == len(now) == 5:
        return "" if now[0] == 2 and int.from_bytes(now[1:], "little") <= 1_400_000 else "compute limit"
    if was[:1] == b"\x03" and len(was) == len(now) == 9:
        return "" if now[0] == 3 and int.from_bytes(now[1:], "little") <= rules.max_price else "priority fee"
    if was[:9] == solana.REMOTE:
        units, cap = int.from_bytes(now[45:], "little"), policy.caps[rules.tokens[rules.route.token]].per_transaction
        return "" if was[:45] == now[:45] and 0 < units <= cap and len(now) == len(was) else "transfer"
    if was[:8] == solana.ROUTE and now[:8] == was[:8]:
        units, quoted, slippage, fee = struct.unpack("<QQHB", now[-19:])
        return (
            "platform fee" if fee else _solana_floor(policy, rules, message, places[2:4], (units, quoted * (10_000 - slippage) // 10_000))
        )
    if len(was) == len(now) == 24 and now[:8] == was[:8]:
        return _solana_floor(policy, rules, message, places[3:5], struct.unpack("<QQ", now[8:]))
    return "other data"


def _solana_floor(policy: Policy, rules: SolanaRules, message: MessageV0, ends: bytes, terms: tuple[int, int]) -> str:
    from coordinator.signer.solana import addresses

    own = {addresses.token_account(rules.account, mint): token for mint, token in rules.tokens.items()}
    given, taken = (own[bytes(message.account_keys[place])] for place in ends)
    return _floor(policy, (given, terms[0]), (taken, terms[1]))
