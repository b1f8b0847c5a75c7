"""Typed transactions as bytes, against eth-account's own encoder."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.evm.transactions import Unsigned, hash_of

from .conftest import DEV, OTHER, dev_signer

U64, U256 = st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1)


@settings(max_examples=50)
@given(chain=st.just(31337701), nonce=U64, tip=U64, more=U64, gas=U64, value=U256, data=st.binary(max_size=70))
def test_unsigned__any_fields__round_trip_and_equal_to_eth_accounts_bytes(
    chain: int, nonce: int, tip: int, more: int, gas: int, value: int, data: bytes
) -> None:
    made = Unsigned(chain, nonce, tip, tip + more, gas, OTHER.address, value, data)
    assert Unsigned.decode(made.encode()) == made
    fields = {"type": 2, "chainId": chain, "nonce": nonce, "maxPriorityFeePerGas": tip, "maxFeePerGas": tip + more}
    theirs = DEV.sign_transaction({**fields, "gas": gas, "to": OTHER.address, "value": value, "data": "0x" + data.hex()})
    signature = theirs.r.to_bytes(32) + theirs.s.to_bytes(32) + bytes([theirs.v])
    assert made.signed(signature) == bytes(theirs.raw_transaction)
    assert hash_of(made.signed(signature)) == theirs.hash.to_0x_hex()


async def test_signed__by_a_signer__recovers_to_its_account() -> None:
    made = Unsigned(31337701, 0, 1, 2, 21_000, OTHER.address, 0, b"")
    raw = made.signed(await dev_signer().sign(made.encode()))
    assert Account.recover_transaction(raw) == DEV.address


def test_decode__leading_zero_in_a_number__refused_as_not_canonical() -> None:
    made = Unsigned(31337701, 1, 1, 2, 21_000, OTHER.address, 0, b"").encode()
    # nonce 01 -> 81 80 would be 128; a nonce written as the two bytes 00 01 is what must not pass
    position = made.index(bytes.fromhex("8401de2ce5") + b"\x01") + 5
    longer = made[:position] + b"\x82\x00\x01" + made[position + 1 :]
    with pytest.raises(ValueError, match="not"):
        Unsigned.decode(longer[:1] + bytes([longer[1] + 2]) + longer[2:])
