"""Balance answers: a number only when the contract really gave one."""

from __future__ import annotations

from eth_abi.abi import encode

from chains.base import Unknown
from chains.evm.multicall import decode_balances


def results(*given: tuple[bool, bytes]) -> bytes:
    return encode(["(bool,bytes)[]"], [list(given)])


def test_decode_balances__good_failed_empty_and_odd__only_the_good_one_is_a_number() -> None:
    good, failed, empty, odd = decode_balances(
        results((True, (5).to_bytes(32)), (False, bytes.fromhex("7c75c3d2")), (True, b""), (True, bytes(33))), 4
    )
    assert good == 5
    assert failed == Unknown("balance call failed: custom error 0x7c75c3d2")
    assert isinstance(empty, Unknown)
    assert isinstance(odd, Unknown)


def test_decode_balances__malformed_or_wrong_count__all_unknown() -> None:
    for returned in (b"", b"\xff" * 64, results((True, bytes(32)))):
        assert all(isinstance(one, Unknown) for one in decode_balances(returned, 2))
        assert len(decode_balances(returned, 2)) == 2
