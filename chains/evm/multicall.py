"""Many balances in one call: Multicall3's aggregate3, with each call allowed to fail alone.

Interface: `aggregate3((address target, bool allowFailure, bytes callData)[]) -> (bool success, bytes returnData)[]` and
`getEthBalance(address)` (https://www.multicall3.com).
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from chains.base import Unknown
from chains.evm.reverts import reason_of
from chains.keccak import selector

AGGREGATE = selector("aggregate3((address,bool,bytes)[])")
BALANCE_OF = selector("balanceOf(address)")
NATIVE_BALANCE = selector("getEthBalance(address)")


def balance_call(multicall: str, account: str, token: str | None) -> tuple[str, bytes]:
    """(target, call data) that answers a balance as uint256; token None is the native coin."""
    asked = NATIVE_BALANCE if token is None else BALANCE_OF
    return token or multicall, asked + encode(["address"], [account])


def encode_calls(calls: Sequence[tuple[str, bytes]]) -> bytes:
    return AGGREGATE + encode(["(address,bool,bytes)[]"], [[(target, True, data) for target, data in calls]])


def decode_balances(returned: bytes, count: int) -> Sequence[int | Unknown]:
    """One entry a call: a uint256, or Unknown with the reason. A wholly malformed answer makes all of them Unknown."""
    try:
        results = decode(["(bool,bytes)[]"], returned)[0]
    except DecodingError:
        return [Unknown("nothing answers as Multicall3 there; set `multicall` to its address on this chain")] * count
    if len(results) != count:
        return [Unknown(f"the multicall contract answered {len(results)} of {count} calls")] * count
    return [_balance(success, data) for success, data in results]


def _balance(success: bool, data: bytes) -> int | Unknown:
    if not success:
        return Unknown(f"balance call failed: {reason_of(data)}")
    if len(data) != 32:
        return Unknown(f"balance call answered {len(data)} bytes instead of 32: no such token there")
    return int.from_bytes(data)
