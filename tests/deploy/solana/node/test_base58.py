"""Base58 against solders' own for keys, and back for any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from deploy.localnet.solana.node import base58


@given(st.binary(min_size=32, max_size=32))
def test_encode__a_key__is_what_solders_writes(raw: bytes) -> None:
    assert base58.encode(raw) == str(Pubkey.from_bytes(raw))


@given(st.binary(max_size=80))
def test_decode__what_was_encoded__comes_back(raw: bytes) -> None:
    assert base58.decode(base58.encode(b"\0" + raw)) == b"\0" + raw


def test_decode__character_outside_the_alphabet__is_refused() -> None:
    with pytest.raises(ValueError, match="substring not found"):
        base58.decode("0OIl")
