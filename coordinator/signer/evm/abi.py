"""Solidity's ABI, strictly: only what an encoder writes is read, so that no two call datas mean the same.

Source: https://docs.soliditylang.org/en/latest/abi-spec.html. Offsets must point where the canonical encoding puts things, padding
must be zero, and nothing may follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coordinator.signer.verdict import need

WORD = 32


def static(arguments: bytes, types: Sequence[str]) -> tuple[Any, ...]:
    """Values of static types (`uint…` as int, `address` as 20 bytes, `bytes32`), which are all of `arguments`. Raises Refused."""
    need(len(arguments) == WORD * len(types), "call-data", f"{len(arguments)} bytes of arguments", WORD * len(types))
    return tuple(_value(arguments[at * WORD :][:WORD], kind) for at, kind in enumerate(types))


def two_bytes(arguments: bytes) -> tuple[bytes, bytes]:
    """The arguments of `f(bytes,bytes)`. Raises Refused."""
    first, after = tail(arguments, 2 * WORD)
    second, end = tail(arguments, after)
    _offsets(arguments[: 2 * WORD], [2 * WORD, after])
    need(end == len(arguments), "call-data", f"{len(arguments) - end} bytes after the arguments", "none")
    return first, second


def deadline_and_steps(arguments: bytes, most: int) -> tuple[int, tuple[bytes, ...]]:
    """The arguments of `f(uint256,bytes[])` with at most `most` elements. Raises Refused."""
    need(len(arguments) >= 3 * WORD, "call-data", f"{len(arguments)} bytes of arguments", f"{3 * WORD} or more")
    _offsets(arguments[WORD : 2 * WORD], [2 * WORD])
    count = int.from_bytes(arguments[2 * WORD : 3 * WORD], "big")
    need(count <= most, "multicall", f"{count} steps in one multicall", f"{most} at most")
    body = arguments[3 * WORD :]
    places, steps, at = [], [], count * WORD
    for _ in range(count):
        places.append(at)
        step, at = tail(body, at)
        steps.append(step)
    _offsets(body[: count * WORD], places)
    need(at == len(body), "call-data", f"{len(body) - at} bytes after the arguments", "none")
    return int.from_bytes(arguments[:WORD], "big"), tuple(steps)


def tail(data: bytes, at: int) -> tuple[bytes, int]:
    """A dynamic `bytes` that starts with its length at `at`, and where it ends."""
    need(len(data) >= at + WORD, "call-data", f"ends within {len(data)} bytes", f"{at + WORD} or more")
    length = int.from_bytes(data[at : at + WORD], "big")
    start, end = at + WORD, at + WORD + -(-length // WORD) * WORD
    need(end <= len(data), "call-data", f"a length of {length} bytes", f"at most {len(data) - start}")
    need(not any(data[start + length : end]), "call-data", "padding that is not zero", "zeros")
    return data[start : start + length], end


def _offsets(head: bytes, wanted: Sequence[int]) -> None:
    found = [int.from_bytes(head[at : at + WORD], "big") for at in range(0, len(head), WORD)]
    need(found == list(wanted), "call-data", f"offsets {found}", list(wanted))


def _value(word: bytes, kind: str) -> int | bytes:
    if kind == "bytes32":
        return word
    if kind == "address":
        need(not any(word[:12]), "call-data", f"an address with 0x{word[:12].hex()} in front", "zeros")
        return word[12:]
    bits = int(kind.removeprefix("uint"))
    value = int.from_bytes(word, "big")
    need(value < 2**bits, "call-data", f"{value} as {kind}", f"less than 2**{bits}")
    return value
