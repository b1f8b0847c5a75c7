"""Why a node refuses: revert data and error texts, sorted into faults and said in words."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from chains.endpoint import Refused
from chains.errors import Fault, Reverted, Unfunded

_ERROR = bytes.fromhex("08c379a0")  # Error(string)
_EXECUTION_FAILED = ("revert", "invalid opcode", "out of gas", "outofgas")  # as geth, Nethermind, Erigon and anvil word it
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
_PANICS = {  # https://docs.soliditylang.org/en/latest/control-structures.html#panic-via-assert-and-error-via-require
    0x01: "a failed assertion",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "an invalid enum value",
    0x22: "corrupt storage",
    0x31: "pop of an empty array",
    0x32: "index out of range",
    0x41: "too much memory",
    0x51: "a call of an empty function",
}


def reason_of(data: bytes) -> str:
    """Revert data in words; a custom error by its selector and data."""
    selector, body = data[:4], data[4:]
    try:
        if selector == _ERROR:
            return str(decode(["string"], body)[0])
        if selector == _PANIC:
            code = int(decode(["uint256"], body)[0])
            return f"panic 0x{code:02x}: {_PANICS.get(code, 'unknown kind')}"
    except (DecodingError, UnicodeDecodeError):
        return f"malformed revert data 0x{data[:100].hex()}"
    if not data:
        return "reverted without a reason"
    return f"custom error 0x{selector.hex()}" + (f" with data 0x{body[:256].hex()}" if body else "")


def sorted_refusal(refusal: Refused, doing: str) -> Fault:
    """Reverted or Unfunded when the node says so; else the refusal itself (RETRY)."""
    text = refusal.text.lower()
    if "insufficient funds" in text:
        return Unfunded(f"{doing}: {refusal.text}")
    if refusal.code == 3 or any(word in text for word in _EXECUTION_FAILED):
        data = revert_data(refusal.data)
        return Reverted(f"{doing}: {reason_of(data) if data else refusal.text}")
    return refusal


def revert_data(data: Any) -> bytes:
    """Nodes give it as 0x-hex, or wrapped in an object."""
    found = data.get("data") if isinstance(data, dict) else data
    if not isinstance(found, str) or not found.startswith("0x"):
        return b""
    try:
        return bytes.fromhex(found[2:])
    except ValueError:
        return b""
