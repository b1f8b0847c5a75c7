"""The CCTP v2 wire format: a burn message as the source chain emits it and as Circle attests it. Pure.

Source: developers.circle.com/cctp, "Message format" (v2). All integers are big-endian.

    header  0 version u32 | 4 source domain u32 | 8 target domain u32 | 12 nonce b32 | 44 sender b32 | 76 recipient b32
            108 destination caller b32 | 140 least finality u32 | 144 finality executed u32 | 148 body
    body    0 version u32 | 4 burn token b32 | 36 mint recipient b32 | 68 amount u256 | 100 message sender b32
            132 max fee u256 | 164 fee executed u256 | 196 expiration block u256 | 228 hook data

The source chain leaves nonce, finality executed, fee executed and expiration block zero; Circle fills them
in before it signs. Everything else of an attested message must be, byte for byte, what we signed for.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak

VERSION = 1  # of both header and body, in CCTP v2
STANDARD = 2000  # finality thresholds: attest at hard finality,
FAST = 1000  # or as soon as the burn is confirmed, for a fee

_BODY = 148
LENGTH = _BODY + 228  # of a burn message without hook data

_NONCE = slice(12, 44)
_FINALITY_EXECUTED = slice(144, 148)
_FEE_EXECUTED = slice(_BODY + 164, _BODY + 196)
_EXPIRATION = slice(_BODY + 196, _BODY + 228)
_FILLED_IN = (_NONCE, _FINALITY_EXECUTED, _FEE_EXECUTED, _EXPIRATION)

_FIELDS = {
    "version": slice(0, 4),
    "source domain": slice(4, 8),
    "target domain": slice(8, 12),
    "sender": slice(44, 76),
    "recipient": slice(76, 108),
    "destination caller": slice(108, 140),
    "least finality": slice(140, 144),
    "body version": slice(_BODY, _BODY + 4),
    "burn token": slice(_BODY + 4, _BODY + 36),
    "mint recipient": slice(_BODY + 36, _BODY + 68),
    "amount": slice(_BODY + 68, _BODY + 100),
    "message sender": slice(_BODY + 100, _BODY + 132),
    "max fee": slice(_BODY + 132, _BODY + 164),
}


@dataclass(frozen=True, slots=True)
class Burn:
    """What we sign for. Addresses are 32-byte words (EVM: zeros in front; Solana: the key itself), amounts base units of USDC.

    `messenger` and `remote_messenger` are the TokenMessengers of the two chains: sender and recipient of the message.
    """

    source: int
    target: int
    messenger: bytes
    remote_messenger: bytes
    token: bytes
    amount: int
    sender: bytes
    recipient: bytes
    max_fee: int
    finality: int

    def encode(self) -> bytes:
        """The message exactly as the source chain emits it: no destination caller, no hook, Circle's fields zero."""
        header = _u32(VERSION) + _u32(self.source) + _u32(self.target) + bytes(32) + self.messenger + self.remote_messenger
        header += bytes(32) + _u32(self.finality) + _u32(0)
        body = _u32(VERSION) + self.token + self.recipient + _u256(self.amount) + self.sender
        return header + body + _u256(self.max_fee) + _u256(0) + _u256(0)


@dataclass(frozen=True, slots=True)
class Attested:
    """What Circle filled in. `nonce`: 32 bytes, unique on the target. `fee`: base units kept at mint.

    `expires`: block of the target chain from which the attestation is void, 0 for never."""

    nonce: bytes
    finality: int
    fee: int
    expires: int

    @classmethod
    def read(cls, message: bytes) -> Attested:
        return cls(
            nonce=message[_NONCE],
            finality=_number(message[_FINALITY_EXECUTED]),
            fee=_number(message[_FEE_EXECUTED]),
            expires=_number(message[_EXPIRATION]),
        )


def differences(ours: bytes, attested: bytes) -> tuple[str, ...]:
    """What makes an attested message another one than ours, in words; empty when only Circle's own fields differ."""
    if len(attested) != len(ours):
        return (f"length {len(attested)} instead of {len(ours)} bytes",)
    if source_form(attested) == ours:
        return ()
    return tuple(
        f"{name} 0x{attested[where].hex().lstrip('0') or '0'} instead of 0x{ours[where].hex().lstrip('0') or '0'}"
        for name, where in _FIELDS.items()
        if attested[where] != ours[where]
    )


def source_form(attested: bytes) -> bytes:
    """The message as the source chain emitted it: Circle's fields are blanked."""
    blank = bytearray(attested)
    for where in _FILLED_IN:
        blank[where] = bytes(len(blank[where]))  # never longer than it was
    return bytes(blank)


def was_received(message: bytes, domain: int, sender: bytes, body: bytes) -> bool:
    """Whether what a target says it received (source domain, sender, body) is this message, in whatever attestation of it.

    The nonce is compared by the caller."""
    received = message[:4] + _u32(domain) + message[8:44] + sender + message[76:_BODY] + body
    return source_form(received) == source_form(message)


def max_fee(message: bytes) -> int:
    """The most that Circle may keep of this burn, base units."""
    return _number(message[_FIELDS["max fee"]])


def provisional_id(ours: bytes) -> str:
    """Name of the transfer until Circle gives it a nonce: hash of the source message, 0x-hex."""
    return "0x" + keccak(ours).hex()


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _u256(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _number(part: bytes) -> int:
    return int.from_bytes(part, "big")
