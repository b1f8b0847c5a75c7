"""What a Solana transaction did: the balances before and after it, as movements by owner."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from solders.transaction import VersionedTransaction

from chains.base import Height, Movement, Receipt
from chains.errors import Unknowable
from chains.ids import AccountId, ChainId, TokenId

_NOISE = ("Program log: Instruction:", "Program log: Create", "Program log: Initialize")
_TELLING = ("error", "failed", "insufficient", "exceed", "invalid", "already", "panicked")
_RUNTIME = re.compile(r"Program \w+ failed: ")  # the runtime's own line, which names no cause


@dataclass(frozen=True, slots=True)
class Landing:
    """A getTransaction answer, checked: the transaction is the one that was asked for."""

    signature: str
    slot: int
    transaction: VersionedTransaction
    meta: Any


def read_landing(place: str, signature: str, value: Any) -> Landing:
    """`value`: solders' EncodedConfirmedTransactionWithStatusMeta in base64. Raises Unknowable for another transaction or a partial one."""
    transaction, meta = value.transaction.transaction, value.transaction.meta
    if not isinstance(transaction, VersionedTransaction) or meta is None:
        raise Unknowable(f"{place} knows transaction {signature} without its effects")
    if str(transaction.signatures[0]) != signature or not all(transaction.verify_with_results()):
        raise Unknowable(f"{place} answers a transaction that is not {signature}")
    return Landing(signature, value.slot, transaction, meta)


def receipt(chain: ChainId, native: TokenId, landing: Landing, block: Height, final: bool) -> Receipt:
    meta = landing.meta
    keys = _keys(landing)
    movements = (*_native(chain, native, keys, meta), *_tokens(chain, meta))
    return Receipt(
        chain=chain,
        reference=landing.signature,
        sender=AccountId(chain, keys[0]),
        height=block,
        succeeded=meta.err is None,
        final=final,
        fee=meta.fee,
        movements=movements,
        reason="" if meta.err is None else explain(error_text(json.loads(meta.to_json())["err"]), meta.log_messages or ()),
    )


def explain(error: str, logs: Sequence[str]) -> str:
    """Why a program refused, in its own words where it has any: its last telling log line, then the runtime's error."""
    telling = [line for line in logs if not line.startswith(_NOISE) and any(word in line.lower() for word in _TELLING)]
    own = [line for line in telling if not _RUNTIME.match(line)]
    last = (own or telling)[-1:]
    return f"{last[0].removeprefix('Program log: ')} [{error}]" if last else error


def error_text(error: object) -> str:
    """A JSON transaction error in one line: `InstructionError 2 Custom 1`."""
    if isinstance(error, dict):
        return " ".join(f"{name} {error_text(value)}" for name, value in error.items())
    if isinstance(error, list):
        return " ".join(map(error_text, error))
    return str(error)


def _keys(landing: Landing) -> list[str]:
    keys = [str(key) for key in landing.transaction.message.account_keys]
    loaded = landing.meta.loaded_addresses
    if loaded is not None:
        keys += [str(key) for key in (*loaded.writable, *loaded.readonly)]
    if len(keys) != len(landing.meta.pre_balances) or len(keys) != len(landing.meta.post_balances):
        raise Unknowable(f"transaction {landing.signature}: {len(keys)} accounts but {len(landing.meta.pre_balances)} balances")
    return keys


def _native(chain: ChainId, native: TokenId, keys: Sequence[str], meta: Any) -> Iterator[Movement]:
    """Lamport changes of every account; the first key pays the fee, which is not part of its movement."""
    for index, (key, before, after) in enumerate(zip(keys, meta.pre_balances, meta.post_balances, strict=True)):
        change = after - before + (meta.fee if index == 0 else 0)
        if change:
            yield Movement(AccountId(chain, key), native, change)


def _tokens(chain: ChainId, meta: Any) -> Iterator[Movement]:
    """Changes by (owner, mint): an owner's several token accounts add up, an account made or closed counts from or to zero."""
    change: Counter[tuple[str, str]] = Counter()
    for sign, balances in ((-1, meta.pre_token_balances), (1, meta.post_token_balances)):
        for balance in balances or ():
            if balance.owner is None:
                raise Unknowable("a token balance without its owner; the node is too old to account by")
            change[str(balance.owner), str(balance.mint)] += sign * int(balance.ui_token_amount.amount)
    for (owner, mint), units in sorted(change.items()):
        if units:
            yield Movement(AccountId(chain, owner), TokenId(chain, "token", mint), units)
