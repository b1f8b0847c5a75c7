"""Solana v0 messages, decoded by the signer itself (https://solana.com/docs/core/transactions, message format version 0)."""

from __future__ import annotations

from dataclasses import dataclass

from coordinator.signer.verdict import Refused, need

_LARGEST = 1232  # bytes of a packet; a message is smaller still
_KEY = 32
_VERSION_0 = 0x80


@dataclass(frozen=True, slots=True)
class Instruction:
    """`program` and `accounts` are places in the message's keys."""

    program: int
    accounts: tuple[int, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """`header`: required signatures, read-only signed, read-only unsigned. Keys are 32 bytes each; no lookup tables."""

    header: tuple[int, int, int]
    keys: tuple[bytes, ...]
    blockhash: bytes
    instructions: tuple[Instruction, ...]

    def encode(self) -> bytes:
        body = bytes([_VERSION_0, *self.header]) + _size(len(self.keys)) + b"".join(self.keys) + self.blockhash
        body += _size(len(self.instructions))
        for step in self.instructions:
            body += bytes([step.program]) + _size(len(step.accounts)) + bytes(step.accounts) + _size(len(step.data)) + step.data
        return body + _size(0)

    def is_signer(self, place: int) -> bool:
        return place < self.header[0]

    def is_writable(self, place: int) -> bool:
        signers, fixed_signers, fixed_others = self.header
        return place < signers - fixed_signers if place < signers else place < len(self.keys) - fixed_others


class _Bytes:
    """Takes parts off the front. Raises Refused when they run out."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        need(len(part) == size, "encoding", "a message that ends too early")
        self._at += size
        return part

    def size(self) -> int:
        """A compact-u16: seven bits a byte, low ones first."""
        value = 0
        for shift in (0, 7, 14):
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Refused("encoding", "a length of more than three bytes")

    @property
    def left(self) -> int:
        return len(self._data) - self._at


def parse(unsigned: bytes) -> Message:
    """Raises Refused unless the bytes are exactly one v0 message without lookup tables, in its one canonical form."""
    need(len(unsigned) <= _LARGEST, "encoding", f"{len(unsigned)} bytes", _LARGEST)
    need(unsigned[:1] == bytes([_VERSION_0]), "message-version", f"first byte 0x{unsigned[:1].hex()}", "version 0 only")
    rest = _Bytes(unsigned[1:])
    signers, fixed_signers, fixed_others = rest.take(3)
    keys = tuple(rest.take(_KEY) for _ in range(rest.size()))
    blockhash = rest.take(_KEY)
    steps = tuple(_instruction(rest) for _ in range(rest.size()))
    need(rest.size() == 0, "lookup-table", "an address lookup table", "none")
    need(rest.left == 0, "encoding", f"{rest.left} bytes after the end", "none")
    message = Message((signers, fixed_signers, fixed_others), keys, blockhash, steps)
    need(message.encode() == unsigned, "not-canonical", "encoded again it has other bytes")
    _check_places(message)
    return message


def _instruction(rest: _Bytes) -> Instruction:
    (program,) = rest.take(1)
    accounts = tuple(rest.take(rest.size()))
    return Instruction(program, accounts, rest.take(rest.size()))


def _check_places(message: Message) -> None:
    signers, fixed_signers, fixed_others = message.header
    count = len(message.keys)
    need(0 < signers <= count and fixed_signers < signers and fixed_others <= count - signers, "encoding", f"header {message.header}")
    need(len(set(message.keys)) == count, "encoding", "a key that is named twice")
    used = {0}
    for step in message.instructions:
        need(max((step.program, *step.accounts)) < count, "encoding", "an account that is not in the message")
        used |= {step.program, *step.accounts}
    need(len(used) == count, "encoding", f"{count - len(used)} keys that no instruction uses", "none")


def _size(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
