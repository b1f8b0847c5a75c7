"""Keccak-256, and what Ethereum makes of it: selectors, event topics and checksummed addresses.

`eth_utils` offers the same, but brings the names of all networks along, which takes longer to load than a look at the treasury.
"""

from __future__ import annotations

from functools import lru_cache

from eth_hash.auto import keccak

_KNOWN = 4096  # addresses; far more than one treasury meets


def keccak_256(data: bytes) -> bytes:
    """32 bytes."""
    return bytes(keccak(data))


def selector(signature: str) -> bytes:
    """First 4 bytes of call data, as of `balanceOf(address)`."""
    return keccak_256(signature.encode())[:4]


def topic(event: str) -> str:
    """First topic of an event, 0x-hex, as of `Transfer(address,address,uint256)`."""
    return "0x" + keccak_256(event.encode()).hex()


@lru_cache(_KNOWN)
def checksummed(address: str) -> str:
    """The address (0x and 40 hex digits) with its EIP-55 checksum (https://eips.ethereum.org/EIPS/eip-55)."""
    digits = address[2:].lower()
    if address[:2] not in {"0x", "0X"} or len(bytes.fromhex(digits)) != 20 or len(digits) != 40:
        raise ValueError(f"{address!r} is no EVM address")
    marks = keccak_256(digits.encode()).hex()
    return "0x" + "".join(digit.upper() if int(mark, 16) > 7 else digit for digit, mark in zip(digits, marks, strict=False))
