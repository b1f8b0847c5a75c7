"""The message layout, field by field, and what makes a message ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak

from bridges.hyperlane.message import Transfer, is_ours, message_id

OURS = Transfer(
    origin=31337001, sender=bytes([1] * 32), destination=1399811149, recipient=bytes([2] * 32), to=bytes([3] * 32), amount=2**64 + 5
)


def test_encode__fields__lie_where_the_protocol_puts_them() -> None:
    raw = OURS.encode(nonce=7)
    assert len(raw) == 141
    assert raw[0] == 3
    assert raw[1:5] == (7).to_bytes(4, "big")
    assert raw[5:9] == (31337001).to_bytes(4, "big")
    assert raw[9:41] == OURS.sender
    assert raw[41:45] == (1399811149).to_bytes(4, "big")
    assert raw[45:77] == OURS.recipient
    assert raw[77:109] == OURS.to
    assert raw[109:141] == (2**64 + 5).to_bytes(32, "big")


@pytest.mark.parametrize("nonce", [0, 1, 2**32 - 1])
def test_is_ours__any_nonce__yes(nonce: int) -> None:
    assert is_ours(OURS.encode(nonce), OURS)


@pytest.mark.parametrize(
    "other",
    [
        replace(OURS, origin=1),
        replace(OURS, sender=bytes(32)),
        replace(OURS, destination=1),
        replace(OURS, recipient=bytes(32)),
        replace(OURS, to=bytes(32)),
        replace(OURS, amount=OURS.amount - 1),
    ],
)
def test_is_ours__one_field_differs__no(other: Transfer) -> None:
    assert not is_ours(other.encode(7), OURS)


@pytest.mark.parametrize("raw", [b"", b"\3", OURS.encode(7)[:-1], OURS.encode(7) + b"\0", b"\2" + OURS.encode(7)[1:]])
def test_is_ours__cut_long_or_of_another_version__no(raw: bytes) -> None:
    assert not is_ours(raw, OURS)


def test_message_id__any_message__is_the_keccak_of_all_bytes() -> None:
    assert message_id(OURS.encode(7)) == "0x" + keccak(OURS.encode(7)).hex()
