"""Well-known programs, and addresses that programs derive; all as 32 bytes."""

from __future__ import annotations

from functools import lru_cache

from solders.pubkey import Pubkey


def key(text: str) -> bytes:
    """Raises ValueError unless it is base58 of 32 bytes."""
    return bytes(Pubkey.from_string(text))


def text(address: bytes) -> str:
    return str(Pubkey.from_bytes(address))


SYSTEM = bytes(32)
COMPUTE_BUDGET = key("ComputeBudget111111111111111111111111111111")
TOKEN = key("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = key("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED = key("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
NOOP = key("noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV")
WRAPPED_SOL = key("So11111111111111111111111111111111111111112")


@lru_cache(4096)
def derived(program: bytes, *seeds: bytes) -> bytes:
    return bytes(Pubkey.find_program_address(list(seeds), Pubkey.from_bytes(program))[0])


def token_account(owner: bytes, mint: bytes, program: bytes = TOKEN) -> bytes:
    """The owner's associated token account."""
    return derived(ASSOCIATED, owner, program, mint)


def joined(program: bytes, *seeds: bytes) -> bytes:
    """An address of a Hyperlane program: its seeds with "-" between them."""
    parts = [part for seed in seeds for part in (b"-", seed)][1:]
    return derived(program, *parts)
