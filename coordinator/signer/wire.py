"""The wire between coordinator and signer: JSON objects, each with its length (4 bytes, big-endian) in front, on a Unix socket.

    {"ask": "hello", "version": 1}                                   -> {"hello": {version, treasury, config, accounts, count}}
    {"ask": "sign", "account": CAIP-10, "unsigned": hex, "intent": text} -> {"signature": hex} | {"refused": {rule, found, allowed}}

Whoever sends anything else is cut off. No answer means: not signed.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

VERSION = 1
LARGEST = 128 * 1024  # bytes; a sign request has about 3,000
_LENGTH = struct.Struct(">I")
_PEER = struct.Struct("3i")  # pid, uid, gid


class Malformed(Exception):
    """What came is not a message of this protocol."""


def packed(message: dict[str, Any]) -> bytes:
    body = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader) -> dict[str, Any]:
    """The next message. Raises Malformed, or IncompleteReadError when the other side is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > LARGEST:
        raise Malformed(f"a message of {length} bytes; allowed: {LARGEST}")
    try:
        message = json.loads(await reader.readexactly(length))
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(message, dict):
        raise Malformed("not an object")
    return message


def text_of(message: dict[str, Any], name: str) -> str:
    """Raises Malformed."""
    value = message.get(name)
    if not isinstance(value, str):
        raise Malformed(f"{name} is not text")
    return value


def peer(writer: asyncio.StreamWriter) -> int:
    """The user id of the process at the other end, as the kernel says it."""
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(credentials)
    return int(uid)
