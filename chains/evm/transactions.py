"""Typed 0x02 transactions as bytes: unsigned, signed, and the hash that is known before sending.

Format: 0x02 ‖ rlp([chain_id, nonce, priority_fee, max_fee, gas, to, value, data, access_list, y_parity, r, s])
(https://eips.ethereum.org/EIPS/eip-1559).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]  # ships no types
from rlp.exceptions import RLPException  # type: ignore[import-untyped]  # ships no types

from chains.keccak import checksummed, keccak_256

TYPE = b"\x02"
_FIELDS = 9


@dataclass(frozen=True, slots=True)
class Unsigned:
    """An EIP-1559 transaction without access list. Fees in wei a unit of gas, `value` in wei."""

    chain_id: int
    nonce: int
    priority_fee: int
    max_fee: int
    gas: int
    to: str
    value: int
    data: bytes

    def encode(self) -> bytes:
        return TYPE + bytes(rlp.encode(self._fields()))

    def signed(self, signature: bytes) -> bytes:
        """The bytes to send. `signature`: 65 bytes r ‖ s ‖ y_parity."""
        r, s, parity = signature[:32], signature[32:64], signature[64:]
        return TYPE + bytes(rlp.encode([*self._fields(), parity.lstrip(b"\0"), r.lstrip(b"\0"), s.lstrip(b"\0")]))

    @classmethod
    def decode(cls, unsigned: bytes) -> Unsigned:
        """Raises ValueError unless the bytes are exactly one such transaction."""
        if unsigned[:1] != TYPE:
            raise ValueError(f"not a typed 0x02 transaction (first byte {unsigned[:1].hex() or 'absent'})")
        try:
            fields = rlp.decode(unsigned[1:])
        except RLPException as problem:
            raise ValueError(f"not RLP: {type(problem).__name__}") from None
        if not isinstance(fields, list) or len(fields) != _FIELDS or fields[8] != [] or len(fields[5]) != 20:
            raise ValueError(f"not an unsigned 0x02 transaction to an address: {_FIELDS} fields and an empty access list are needed")
        chain_id, nonce, priority_fee, max_fee, gas, value = (int.from_bytes(field) for field in (*fields[:5], fields[6]))
        to, data = checksummed("0x" + bytes(fields[5]).hex()), bytes(fields[7])
        decoded = cls(chain_id=chain_id, nonce=nonce, priority_fee=priority_fee, max_fee=max_fee, gas=gas, to=to, value=value, data=data)
        if decoded.encode() != unsigned:
            raise ValueError("not in canonical form")
        return decoded

    def _fields(self) -> Sequence[object]:
        numbers = [_big_endian(n) for n in (self.chain_id, self.nonce, self.priority_fee, self.max_fee, self.gas)]
        return [*numbers, bytes.fromhex(self.to[2:]), _big_endian(self.value), self.data, []]


def hash_of(raw: bytes) -> str:
    """The transaction hash, 0x-hex: keccak-256 of the signed bytes."""
    return "0x" + keccak_256(raw).hex()


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
