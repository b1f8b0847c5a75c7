"""Keccak-256 and function selectors."""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak_256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def selector(signature: str) -> bytes:
    """First 4 bytes of call data, as of `approve(address,uint256)`."""
    return keccak_256(signature.encode())[:4]
