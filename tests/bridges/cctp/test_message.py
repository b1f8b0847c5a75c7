"""CCTP's wire format: each field at its documented offset, and only Circle's fields may differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.cctp.message import LENGTH, Attested, Burn, differences, max_fee, provisional_id, source_form, was_received

BURN = Burn(
    source=3,
    target=6,
    messenger=b"\x11" * 32,
    remote_messenger=b"\x22" * 32,
    token=b"\x33" * 32,
    amount=1_000_000_000,
    sender=b"\x44" * 32,
    recipient=b"\x55" * 32,
    max_fee=180_000,
    finality=1000,
)

# Written out by hand from Circle's table, not by the code under test.
VECTOR = bytes.fromhex(
    "00000001"  # version
    "00000003"  # source domain
    "00000006"  # target domain
    + "00" * 32  # nonce: zero at the source
    + "11" * 32  # sender: TokenMessenger of the source
    + "22" * 32  # recipient: TokenMessenger of the target
    + "00" * 32  # destination caller: anyone
    + "000003e8"  # least finality: 1000
    "00000000"  # finality executed: zero at the source
    "00000001"  # body version
    + "33" * 32  # burn token
    + "55" * 32  # mint recipient
    + "000000000000000000000000000000000000000000000000000000003b9aca00"  # amount
    + "44" * 32  # message sender
    + "000000000000000000000000000000000000000000000000000000000002bf20"  # max fee
    + "00" * 32  # fee executed: zero at the source
    + "00" * 32  # expiration block: zero at the source
)


def test_burn__encoded__is_the_documented_vector():
    assert BURN.encode() == VECTOR
    assert len(VECTOR) == LENGTH == 376


def test_attested__read__finds_circles_fields_at_their_offsets():
    message = bytearray(VECTOR)
    message[12:44] = b"\xee" * 32
    message[144:148] = (1000).to_bytes(4, "big")
    message[312:344] = (130_000).to_bytes(32, "big")
    message[344:376] = (7_654_321).to_bytes(32, "big")
    assert Attested.read(bytes(message)) == Attested(b"\xee" * 32, 1000, 130_000, 7_654_321)
    assert source_form(bytes(message)) == VECTOR
    assert differences(VECTOR, bytes(message)) == ()


def test_max_fee__of_a_message__is_what_was_signed():
    assert max_fee(VECTOR) == 180_000


CIRCLES = set(range(12, 44)) | set(range(144, 148)) | set(range(312, 376))


@given(st.integers(0, LENGTH - 1), st.integers(1, 255))
def test_differences__one_byte_changed__are_seen_unless_the_byte_is_circles(position, change):
    message = bytearray(VECTOR)
    message[position] ^= change
    assert bool(differences(VECTOR, bytes(message))) == (position not in CIRCLES)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (8, "target domain"),
        (80, "recipient"),
        (120, "destination caller"),
        (190, "mint recipient"),
        (240, "amount"),
        (260, "message sender"),
    ],
)
def test_differences__field_changed__name_the_field(where, name):
    message = bytearray(VECTOR)
    message[where] ^= 1
    (found,) = differences(VECTOR, bytes(message))
    assert found.startswith(name)


@pytest.mark.parametrize("message", [VECTOR[:-1], VECTOR + b"hook", b""])
def test_differences__other_length__are_named(message):
    assert differences(VECTOR, message) == (f"length {len(message)} instead of 376 bytes",)


def test_was_received__renewed_attestation__is_still_the_message():
    renewed = bytearray(VECTOR)
    renewed[344:376] = (99).to_bytes(32, "big")
    assert was_received(bytes(renewed), 3, b"\x11" * 32, VECTOR[148:])


@pytest.mark.parametrize(
    ("domain", "sender", "body"),
    [
        (4, b"\x11" * 32, VECTOR[148:]),
        (3, b"\x12" * 32, VECTOR[148:]),
        (3, b"\x11" * 32, VECTOR[148:-1]),
        (3, b"\x11" * 32, VECTOR[149:] + b"\0"),
    ],
)
def test_was_received__other_message__is_not(domain, sender, body):
    assert not was_received(VECTOR, domain, sender, body)


def test_provisional_id__two_burns__differ():
    assert provisional_id(VECTOR) != provisional_id(VECTOR[:-1] + b"\x01")
    assert len(provisional_id(VECTOR)) == 66
