"""Token accounts and mints read from account bytes (SPL Token and Token-2022 share the first 165 and 82 bytes)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PROGRAM_NAMES = {TOKEN: "spl-token", TOKEN_2022: "spl-token-2022"}
ACCOUNT_SIZE, MINT_SIZE = 165, 82
KIND_AT, KIND_ACCOUNT = 165, 2  # Token-2022 names the kind of an extended account in the byte behind the base
STATES = ("uninitialized", "initialized", "frozen")


@dataclass(frozen=True, slots=True)
class TokenAccount:
    mint: Pubkey
    owner: Pubkey
    amount: int
    state: str
    is_native: bool
    delegate: Pubkey | None
    delegated: int


@dataclass(frozen=True, slots=True)
class Mint:
    supply: int
    decimals: int
    mint_authority: Pubkey | None
    freeze_authority: Pubkey | None


def _optional_key(data: bytes, at: int) -> Pubkey | None:
    return Pubkey.from_bytes(data[at + 4 : at + 36]) if data[at] else None


def token_account(account: Account | None) -> TokenAccount | None:
    """The token account in these bytes, or None where they hold something else."""
    if account is None or account.owner not in PROGRAM_NAMES:
        return None
    data = bytes(account.data)
    if len(data) < ACCOUNT_SIZE or (len(data) > ACCOUNT_SIZE and data[KIND_AT] != KIND_ACCOUNT):
        return None
    return TokenAccount(
        mint=Pubkey.from_bytes(data[:32]),
        owner=Pubkey.from_bytes(data[32:64]),
        amount=struct.unpack_from("<Q", data, 64)[0],
        state=STATES[data[108]],
        is_native=data[109] == 1,
        delegate=_optional_key(data, 72),
        delegated=struct.unpack_from("<Q", data, 121)[0],
    )


def mint(account: Account | None) -> Mint | None:
    """The mint in these bytes, or None where they hold something else."""
    if account is None or account.owner not in PROGRAM_NAMES or token_account(account) is not None:
        return None
    data = bytes(account.data)
    if len(data) < MINT_SIZE:
        return None
    supply = struct.unpack_from("<Q", data, 36)[0]
    return Mint(supply, data[44], _optional_key(data, 0), _optional_key(data, 46))


def ui_amount(amount: int, decimals: int) -> dict[str, Any]:
    """A node's way to show an amount; `uiAmount` is a float by Solana's own convention and is never computed with."""
    digits = str(amount).rjust(decimals + 1, "0")
    whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    text = f"{whole}.{part}".rstrip("0").rstrip(".") if decimals else whole
    return {"amount": str(amount), "decimals": decimals, "uiAmount": amount / 10**decimals, "uiAmountString": text}
