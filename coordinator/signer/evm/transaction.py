"""Unsigned typed 0x02 transactions, decoded by the signer itself (https://eips.ethereum.org/EIPS/eip-1559)."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.signer.evm import rlp
from coordinator.signer.policy import EvmRules
from coordinator.signer.verdict import Refused, need

TYPE = b"\x02"
_FIELDS = 9
_LARGEST = 16_384  # bytes; a claim, the largest call there is, has about 700


@dataclass(frozen=True, slots=True)
class Transaction:
    """Fees in wei a unit of gas, `value` in wei, `to` 20 bytes."""

    chain_id: int
    nonce: int
    priority_fee: int
    max_fee: int
    gas: int
    to: bytes
    value: int
    data: bytes

    def encode(self) -> bytes:
        numbers = [rlp.of_number(n) for n in (self.chain_id, self.nonce, self.priority_fee, self.max_fee, self.gas)]
        return TYPE + rlp.encode([*numbers, self.to, rlp.of_number(self.value), self.data, []])


def parse(unsigned: bytes) -> Transaction:
    """Raises Refused unless the bytes are exactly one such transaction, to an address, without access list, in its one canonical form."""
    need(len(unsigned) <= _LARGEST, "encoding", f"{len(unsigned)} bytes", f"{_LARGEST}")
    need(unsigned[:1] == TYPE, "transaction-type", f"first byte 0x{unsigned[:1].hex()}", "typed 0x02 transactions only")
    try:
        fields = rlp.decode(unsigned[1:])
        transaction = _transaction(fields)
    except ValueError as problem:
        raise Refused("encoding", str(problem), "canonical RLP of nine fields") from None
    need(transaction.encode() == unsigned, "not-canonical", "encoded again it has other bytes")
    return transaction


def _transaction(fields: rlp.Item) -> Transaction:
    if not isinstance(fields, list) or len(fields) != _FIELDS:
        raise ValueError("not a list of nine fields")
    need(fields[8] == [], "access-list", "an access list", "none")
    to, data = fields[5], fields[7]
    if not isinstance(to, bytes) or not isinstance(data, bytes):
        raise ValueError("a list in place of an address or of data")
    need(to != b"", "contract-creation", "no address", "a call of a known contract")
    if len(to) != 20:
        raise ValueError(f"an address of {len(to)} bytes")
    chain, nonce, priority, most, gas, value = (rlp.number(fields[at]) for at in (0, 1, 2, 3, 4, 6))
    return Transaction(chain, nonce, priority, most, gas, to, value, data)


def check_frame(transaction: Transaction, rules: EvmRules) -> None:
    """Chain and gas: what is the same for every call."""
    need(transaction.chain_id == rules.chain_id, "chain-id", transaction.chain_id, rules.chain_id)
    need(transaction.max_fee <= rules.max_fee, "fee-cap", f"{transaction.max_fee} wei a gas", rules.max_fee)
    tip = transaction.priority_fee
    need(tip <= rules.max_priority_fee, "priority-fee-cap", f"{tip} wei a gas", rules.max_priority_fee)
    need(tip <= transaction.max_fee, "priority-fee-cap", f"{tip} wei a gas, more than the whole fee", transaction.max_fee)
    need(0 < transaction.gas <= rules.max_gas, "gas-cap", transaction.gas, f"1 to {rules.max_gas}")
