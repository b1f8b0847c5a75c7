"""Preparing and sending Solana transactions: what a transaction needs, whether it would succeed, and telling it to everyone."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.requests import GetRecentPrioritizationFees
from solders.rpc.responses import GetRecentPrioritizationFeesResp
from solders.transaction import VersionedTransaction

from chains.base import Submission
from chains.endpoint import Refused
from chains.errors import Fault, Reverted, SendInDoubt, Unfunded, Unknowable
from chains.solana.nodes import Nodes, field, heard, integer, reached
from chains.solana.receipts import error_text, explain
from chains.solana.transaction import MAX_UNITS
from chains.solana.transport import Node

BLOCKHASH_BLOCKS = 150  # MAX_PROCESSING_AGE: how long a blockhash is good
_MICRO = 1_000_000
_PERCENTILE = 75  # of what the last 150 slots paid for the same accounts
_MOST_PRICED = 128  # accounts getRecentPrioritizationFees takes
_LEAST_UNITS = 1_000
_BROKE = ("InsufficientFundsForFee", "InsufficientFundsForRent", "AccountNotFound")
_BROKE_LOGS = ("insufficient lamports", "insufficient funds", "Insufficient Funds")
_STALE = ("BlockhashNotFound",)
_MALFORMED = {-32002, -32003, -32602}  # preflight failure, wrong signature, invalid parameters


@dataclass(frozen=True, slots=True)
class Recent:
    """A blockhash, and the last block height at which any node would still take it."""

    blockhash: str
    valid_until: int


async def recent_blockhash(nodes: Nodes) -> Recent:
    """A *confirmed* blockhash that `quorum` trust domains are not behind of.

    The latest expiry that any node tells counts, within reason, so that a lying node can neither make it look
    expired early (which would allow a second, live transaction) nor never.
    """

    async def ask(node: Node) -> tuple[str, int]:
        value = field(node, await node.ask("getLatestBlockhash", {"commitment": "confirmed"}), "value")
        return str(field(node, value, "blockhash")), integer(node, value, "lastValidBlockHeight")

    answers = heard(await nodes.every(ask))
    chosen = reached(nodes.quorum, [(node, height) for node, (_, height) in answers])
    blockhash = next(text for _, (text, height) in answers if height == chosen)
    return Recent(blockhash, min(max(height for _, (_, height) in answers), chosen + BLOCKHASH_BLOCKS))


async def price(nodes: Nodes, message: MessageV0 | None, ceiling: int) -> int:
    """Micro-lamports a compute unit: what the same accounts paid lately, never above the ceiling."""
    keys: list[Pubkey] = []
    if message is not None:
        keys = [key for index, key in enumerate(message.account_keys) if message.is_maybe_writable(index)][:_MOST_PRICED]

    async def ask(node: Node) -> list[int]:
        answer = await node.parsed(GetRecentPrioritizationFees(keys), GetRecentPrioritizationFeesResp)
        return [one.prioritization_fee for one in answer.value]

    paid = sorted(await nodes.observe(ask))
    return min(paid[(len(paid) - 1) * _PERCENTILE // 100], ceiling) if paid else 0


async def simulate(nodes: Nodes, transaction: VersionedTransaction, signed: bool) -> int:
    """Compute units it would use. Raises Reverted or Unfunded with the reason, Unknowable when the node lags behind the blockhash."""
    encoded = base64.b64encode(bytes(transaction)).decode()
    options = {"encoding": "base64", "commitment": "confirmed", "sigVerify": signed, "replaceRecentBlockhash": False}

    async def ask(node: Node) -> tuple[Any, list[str], int]:
        value = field(node, await node.ask("simulateTransaction", encoded, options), "value")
        error = field(node, value, "err")
        if error in _STALE:
            raise Unknowable(f"{node.place} does not know the newest blockhash yet")
        logs = value.get("logs") or []
        return error, [str(line) for line in logs], value.get("unitsConsumed") or 0

    try:
        error, logs, units = await nodes.observe(ask)
    except Refused as refusal:
        if refusal.code not in _MALFORMED:
            raise  # the node is behind or unwell, which says nothing about the calls
        raise Reverted(f"simulation refused: {refusal}") from refusal
    if error is None:
        return units
    reason = explain(error_text(error), logs)
    if broke(error, logs):
        raise Unfunded(f"{nodes.chain}: the account cannot pay for this: {reason}")
    raise Reverted(f"{nodes.chain} refuses these calls: {reason}")


def unit_limit(used: int, margin: int) -> int:
    """Compute units to allow: what the simulation used, `margin` percent and a little more; at most what Solana allows."""
    return min(MAX_UNITS, used * (100 + margin) // 100 + _LEAST_UNITS)


def broke(error: object, logs: Sequence[str]) -> bool:
    """Whether it failed for want of lamports or of the token given."""
    return error_text(error).startswith(_BROKE) or any(words in line for line in logs for words in _BROKE_LOGS)


async def balance(nodes: Nodes, address: str) -> int:
    from solana.rpc.commitment import Confirmed  # late, with the client itself

    async def ask(node: Node) -> int:
        return (await node.typed.get_balance(Pubkey.from_string(address), Confirmed)).value

    return await nodes.observe(ask)


async def broadcast(nodes: Nodes, submission: Submission) -> None:
    """The same bytes to every endpoint. Raises SendInDoubt unless one of them took them; even that proves no landing."""
    encoded = base64.b64encode(submission.raw).decode()
    options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}

    async def ask(node: Node) -> str:
        answer = await node.ask("sendTransaction", encoded, options)
        if answer != submission.reference:
            raise Unknowable(f"{node.place} answers another signature than was sent")
        return submission.reference

    try:
        await nodes.every(ask)
    except Fault as fault:
        raise SendInDoubt(f"{submission.reference} may or may not have been sent: {fault}") from fault
