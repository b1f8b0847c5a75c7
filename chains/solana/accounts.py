"""What is inside Solana accounts: balances of token accounts, mints, and the Token-2022 extensions that matter.

Layouts: SPL Token `state.rs` (mint 82 bytes, account 165 bytes); Token-2022 appends an account type at
byte 165 and then extensions as type u16 LE, length u16 LE, value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID

from chains.base import Unknown
from chains.errors import Misconfigured

MINT_BYTES = 82
ACCOUNT_BYTES = 165
_STATE_AT = 108  # account state: 1 initialised, 2 frozen
_TYPE_AT = 165  # account type byte of Token-2022: 1 mint, 2 account
TOKEN_PROGRAMS = (TOKEN_PROGRAM_ID, TOKEN_2022_PROGRAM_ID)

# Extension numbers: spl-token-2022 `ExtensionType`
_DEFAULT_STATE, _PERMANENT_DELEGATE, _TRANSFER_HOOK, _PAUSABLE = 6, 12, 14, 26
_FROZEN = 2
_REFUSED = {
    _PERMANENT_DELEGATE: "PermanentDelegate (its holder can move anybody's tokens)",
    _TRANSFER_HOOK: "TransferHook (foreign code runs in every transfer)",
    _PAUSABLE: "Pausable (its authority can stop every transfer)",
}


@dataclass(frozen=True, slots=True)
class Raw:
    """An account as a node returned it."""

    lamports: int
    owner: Pubkey
    data: bytes


@dataclass(frozen=True, slots=True)
class Mint:
    """A token: its program, its decimals, and why it must not be held, if anything speaks against it."""

    program: Pubkey
    decimals: int
    dangers: tuple[str, ...]


def read_mint(address: str, account: Raw | None) -> Mint:
    """Raises Misconfigured when the account is not an initialised mint."""
    if account is None:
        raise Misconfigured(f"token {address} does not exist on this chain; check the mint address and the chain")
    data = account.data
    if account.owner not in TOKEN_PROGRAMS or len(data) < MINT_BYTES or (len(data) > MINT_BYTES and data[_TYPE_AT : _TYPE_AT + 1] != b"\1"):
        raise Misconfigured(
            f"{address} is not a token mint (owner {account.owner}, {len(data)} bytes); write the mint, not a token account"
        )
    if data[45] != 1:
        raise Misconfigured(f"mint {address} is not initialised")
    return Mint(account.owner, data[44], tuple(_dangers(data)))


def token_account(owner: str, mint: str, program: Pubkey) -> Pubkey:
    """The associated token account of a wallet."""
    return get_associated_token_address(Pubkey.from_string(owner), Pubkey.from_string(mint), program)


def read_balance(owner: str, mint: str, account: Raw | None) -> int | Unknown:
    """Base units in an associated token account; an account that does not exist holds a real zero."""
    if account is None:
        return 0
    data = account.data
    if account.owner not in TOKEN_PROGRAMS or len(data) < ACCOUNT_BYTES:
        return (
            0 if account.owner == Pubkey.default() and not data else Unknown(f"the token account of {owner} for {mint} is no token account")
        )
    if data[:32] != bytes(Pubkey.from_string(mint)) or data[32:64] != bytes(Pubkey.from_string(owner)):
        return Unknown(f"the token account of {owner} for {mint} belongs to somebody else")
    return int.from_bytes(data[64:72], "little")


def is_frozen(account: Raw) -> bool:
    """Whether a token account's state byte says frozen: its issuer lets nothing in or out."""
    return len(account.data) >= ACCOUNT_BYTES and account.data[_STATE_AT] == _FROZEN


def _dangers(data: bytes) -> Iterator[str]:
    for kind, value in _extensions(data):
        if kind == _DEFAULT_STATE and value[:1] == bytes([_FROZEN]):
            yield "DefaultAccountState frozen (new accounts cannot move tokens)"
        elif kind in _REFUSED and _is_set(kind, value):
            yield _REFUSED[kind]


def _is_set(kind: int, value: bytes) -> bool:
    # a hook without program and a delegate of all zeros do nothing, but their authority may set them: only both zero is harmless
    return kind == _PAUSABLE or any(value)


def _extensions(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = _TYPE_AT + 1
    while at + 4 <= len(data):
        kind, size = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        if kind == 0:
            return
        yield kind, data[at + 4 : at + 4 + size]
        at += 4 + size
