"""Refusals of nodes, sorted and said in words."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from chains.endpoint import Refused
from chains.errors import Fault, Reverted, Unfunded
from chains.evm.reverts import reason_of, sorted_refusal

ERROR, PANIC = bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ERROR + encode(["string"], ["Too little received"]), "Too little received"),
        (PANIC + encode(["uint256"], [0x11]), "panic 0x11: arithmetic overflow"),
        (PANIC + encode(["uint256"], [0x99]), "panic 0x99: unknown kind"),
        (bytes.fromhex("7c75c3d2"), "custom error 0x7c75c3d2"),
        (bytes.fromhex("7c75c3d2") + b"\1", "custom error 0x7c75c3d2 with data 0x01"),
        (b"", "reverted without a reason"),
        (ERROR + b"\xff" * 10, "malformed revert data 0x08c379a0ffffffffffffffffffff"),
        (ERROR + encode(["bytes"], [b"\xff\xfe"]), "malformed"),
    ],
)
def test_reason_of__each_kind__in_words(data: bytes, words: str) -> None:
    assert reason_of(data).startswith(words)


@pytest.mark.parametrize(
    ("refusal", "kind", "words"),
    [
        (Refused("a", 3, "execution reverted", "0x" + (ERROR + encode(["string"], ["paused"])).hex()), Reverted, "pay: paused"),
        (Refused("a", -32000, "VM Exception: revert", {"data": "0x7c75c3d2"}), Reverted, "pay: custom error 0x7c75c3d2"),
        (Refused("a", 3, "execution reverted: paused"), Reverted, "pay: execution reverted: paused"),
        (Refused("a", 3, "execution reverted", "0xnothex"), Reverted, "pay: execution reverted"),
        (Refused("a", -32000, "insufficient funds for gas * price + value: have 1 want 2"), Unfunded, "have 1 want 2"),
        (Refused("a", -32000, "header not found"), Refused, "header not found"),
    ],
)
def test_sorted_refusal__each_kind__fault_and_words(refusal: Refused, kind: type[Fault], words: str) -> None:
    fault = sorted_refusal(refusal, "pay")
    assert type(fault) is kind
    assert words in str(fault)
