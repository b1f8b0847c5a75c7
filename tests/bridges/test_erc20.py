"""ERC-20 approvals: exact, replaced, and taken back only when something is left."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode

from bridges.erc20 import approve, revoke
from chains.base import Call
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token

CHAIN = ChainId.parse("eip155:31337001")
USDC = Token(TokenId(CHAIN, "erc20", "0x" + "1" * 40), "USDC", 6)
OWNER = AccountId(CHAIN, "0x" + "2" * 40)
SPENDER = "0x" + "3" * 40


class Allowing:
    """A token that says how much is still allowed, to our pair of accounts only."""

    def __init__(self, units: int) -> None:
        self.units = units

    async def read(self, call: Call) -> bytes:
        assert decode(["address", "address"], call.data[4:]) == (OWNER.address, SPENDER)
        return encode(["uint256"], [self.units])


def test_approve__amount__is_exact_and_said_in_words():
    call = approve(Amount(USDC, 1_500_000), SPENDER)
    assert (call.target, call.data[:4].hex(), call.value) == (USDC.id.reference, "095ea7b3", 0)
    assert decode(["address", "uint256"], call.data[4:]) == (SPENDER, 1_500_000)
    assert "1.5 USDC" in call.purpose


@pytest.mark.parametrize(("left", "calls"), [(0, 0), (1, 1), (2**256 - 1, 1)])
async def test_revoke__what_is_left__decides(left, calls):
    found = await revoke(Allowing(left), USDC, OWNER, SPENDER)
    assert [decode(["address", "uint256"], call.data[4:]) for call in found] == [(SPENDER, 0)] * calls
