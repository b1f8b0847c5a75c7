"""Exact ERC-20 approvals: the only permission a rail ever gives, used up by the very next call."""

from __future__ import annotations

from bridges.abi import ask, calldata
from chains.base import Call, Reader
from chains.ids import AccountId
from chains.tokens import Amount, Token

APPROVE_GAS = 60_000  # FiatToken behind its proxy measures about 55,000


def approve(amount: Amount, spender: str) -> Call:
    """Lets `spender` take exactly `amount`; replaces whatever was allowed before. Zero takes the permission back."""
    token = amount.token
    what = f"allow {spender} to take {amount}" if amount.units else f"take back what {spender} may take of our {token.asset}"
    return Call(token.chain, token.id.reference, calldata("approve", ["address", "uint256"], [spender, amount.units]), what)


async def allowance(reader: Reader, token: Token, owner: AccountId, spender: str) -> int:
    """Base units that `spender` may still take from `owner`."""
    data = calldata("allowance", ["address", "address"], [owner.address, spender])
    (units,) = await ask(reader, Call(token.chain, token.id.reference, data, f"read the {token.asset} allowance"), ["uint256"])
    return int(units)


async def revoke(reader: Reader, token: Token, owner: AccountId, spender: str) -> tuple[Call, ...]:
    """The call that takes a leftover allowance back, or nothing when there is none."""
    left = await allowance(reader, token, owner, spender)
    return (approve(Amount(token, 0), spender),) if left else ()
