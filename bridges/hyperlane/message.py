"""Hyperlane's wire format: a message as a mailbox dispatches it, carrying a token transfer. Pure.

Source: hyperlane-xyz/hyperlane-monorepo, `Message.sol` and `TokenMessage.sol`. All integers are big-endian.

    0 version u8 = 3 | 1 nonce u32 | 5 origin u32 | 9 sender b32 | 41 destination u32 | 45 recipient b32 | 77 body
    body of a token transfer: 0 recipient b32 | 32 amount u256 | 64 metadata (none for a plain route)
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak

VERSION = 3
_BODY = 77
_TRANSFER = 64


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a message must say to be ours. Routers and recipient are 32 bytes, `amount` is in the route's units."""

    origin: int
    sender: bytes
    destination: int
    recipient: bytes
    to: bytes
    amount: int

    def encode(self, nonce: int) -> bytes:
        """The whole message; its nonce is the mailbox's to give."""
        head = bytes([VERSION]) + _u32(nonce) + _u32(self.origin) + self.sender + _u32(self.destination) + self.recipient
        return head + self.to + self.amount.to_bytes(32, "big")


def is_ours(raw: bytes, ours: Transfer) -> bool:
    """Whether a dispatched message is exactly this transfer, whatever nonce it got."""
    return len(raw) == _BODY + _TRANSFER and raw == ours.encode(int.from_bytes(raw[1:5], "big"))


def message_id(raw: bytes) -> str:
    """Hyperlane's id of a message: keccak-256 of all of it, 0x-hex."""
    return "0x" + keccak(raw).hex()


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")
