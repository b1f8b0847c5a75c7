"""Solidity's ABI for rails: calldata, answers and event topics, without web3 (which a rail must not need)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from chains.base import Call, Reader
from chains.errors import Misconfigured


def calldata(name: str, types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Selector and encoded arguments of `name(types…)`; a tuple's type is written as in `(address,uint256)`."""
    return keccak(text=f"{name}({','.join(types)})")[:4] + encode(types, values)


def topic(event: str) -> str:
    """First topic of an event, 0x-hex; `event` is its signature, as in `Transfer(address,address,uint256)`."""
    return "0x" + keccak(text=event).hex()


def word(address: str) -> bytes:
    """An EVM address as 32 bytes, zeros in front: how messages to other chains and event topics carry it."""
    return bytes(12) + bytes.fromhex(address.removeprefix("0x"))


async def ask(reader: Reader, call: Call, types: Sequence[str]) -> tuple[Any, ...]:
    """The decoded answer of a view, addresses with their checksum.

    Raises Reverted as the contract does, Misconfigured when the answer has another shape."""
    answer = await reader.read(call)
    try:
        values = decode(types, answer)
    except DecodingError:
        raise Misconfigured(
            f"{call.target} on {call.chain} does not answer as the contract it should be ({call.purpose}: {len(answer)} bytes); "
            "check its address in the configuration"
        ) from None
    return tuple(to_checksum_address(value) if kind == "address" else value for kind, value in zip(types, values, strict=True))
