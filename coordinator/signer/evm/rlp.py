"""RLP, strictly: only the one canonical encoding of a value is read (https://ethereum.org/developers/docs/data-structures-and-encoding/rlp)."""

from __future__ import annotations

from collections.abc import Sequence

Item = bytes | list["Item"]
_DEPTH = 3  # a transaction is a list of strings, with an access list at most two deeper


def decode(data: bytes) -> Item:
    """One item that is all of `data`. Raises ValueError."""
    item, rest = _item(data, _DEPTH)
    if rest:
        raise ValueError(f"{len(rest)} bytes after the end")
    return item


def encode(item: bytes | Sequence[Item]) -> bytes:
    if isinstance(item, bytes):
        return item if len(item) == 1 and item < b"\x80" else _prefix(0x80, len(item)) + item
    body = b"".join(encode(part) for part in item)
    return _prefix(0xC0, len(body)) + body


def number(data: Item) -> int:
    """Raises ValueError for a list, for leading zeros and for more than 32 bytes."""
    if not isinstance(data, bytes) or data[:1] == b"\0" or len(data) > 32:
        raise ValueError("not a canonical number")
    return int.from_bytes(data, "big")


def of_number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _prefix(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = of_number(length)
    return bytes([base + 55 + len(size)]) + size


def _item(data: bytes, depth: int) -> tuple[Item, bytes]:
    if not data:
        raise ValueError("ends too early")
    first = data[0]
    if first < 0x80:
        return data[:1], data[1:]
    body, rest = _body(data, 0x80 if first < 0xC0 else 0xC0)
    if first < 0xC0:
        if len(body) == 1 and body < b"\x80":
            raise ValueError("a byte that is its own encoding has a prefix")
        return body, rest
    return _list(body, depth), rest


def _list(body: bytes, depth: int) -> Item:
    if not depth:
        raise ValueError("lists too deep")
    items: list[Item] = []
    while body:
        item, body = _item(body, depth - 1)
        items.append(item)
    return items


def _body(data: bytes, base: int) -> tuple[bytes, bytes]:
    """The content behind a prefix, and what comes after it."""
    length, start = data[0] - base, 1
    if length > 55:
        start = 1 + length - 55
        size = data[1:start]
        length = int.from_bytes(size, "big")
        if len(size) != start - 1 or size[:1] == b"\0" or length < 56:
            raise ValueError("a length that is not canonical")
    if len(data) < start + length:
        raise ValueError("ends too early")
    return data[start : start + length], data[start + length :]
