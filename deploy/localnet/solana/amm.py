"""The client of our pool program (`programs/amm.c`): its account, its instructions and its exact quote."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from deploy.localnet.solana.programs import AMM

MAGIC = b"LNTAMM01"
POOL_SIZE = 184
BPS = 10_000
OPEN, SWAP = 0, 1
NOTHING_TO_SWAP, LESS_THAN_LEAST_OUT = 1, 6001
"""The program's own errors, seen as Custom(n)."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as its account says; side A and B have no other meaning than their order."""

    address: Pubkey
    fee_bps: int
    mint_a: Pubkey
    mint_b: Pubkey
    vault_a: Pubkey
    vault_b: Pubkey
    token_program: Pubkey

    @classmethod
    def decode(cls, address: Pubkey, data: bytes) -> Pool:
        """Raises `ValueError` for an account that is no pool."""
        if len(data) < POOL_SIZE or data[:8] != MAGIC:
            raise ValueError(f"{address} is not a pool of {AMM}: expected {POOL_SIZE} bytes starting with {MAGIC!r}")
        keys = [Pubkey.from_bytes(data[at : at + 32]) for at in range(24, POOL_SIZE, 32)]
        return cls(address, struct.unpack_from("<Q", data, 8)[0], *keys)

    def vaults(self, mint_in: Pubkey) -> tuple[Pubkey, Pubkey]:
        """(vault in, vault out). Raises `ValueError` for a mint the pool does not hold."""
        if mint_in == self.mint_a:
            return self.vault_a, self.vault_b
        if mint_in == self.mint_b:
            return self.vault_b, self.vault_a
        raise ValueError(f"pool {self.address} holds {self.mint_a} and {self.mint_b}, not {mint_in}")


def authority(pool: Pubkey) -> tuple[Pubkey, int]:
    """The program address that owns the vaults, and its bump."""
    return Pubkey.find_program_address([bytes(pool)], AMM)


def amount_out(amount_in: int, reserve_in: int, reserve_out: int, fee_bps: int) -> int:
    """What the program pays, to the unit: both divisions round down."""
    net = amount_in * (BPS - fee_bps) // BPS
    return reserve_out * net // (reserve_in + net)


def open_pool(pool: Pubkey, vault_a: Pubkey, vault_b: Pubkey, token_program: Pubkey, fee_bps: int) -> Instruction:
    owner, bump = authority(pool)
    accounts = [
        AccountMeta(pool, True, True),
        *(AccountMeta(key, False, False) for key in (owner, vault_a, vault_b, token_program)),
    ]
    return Instruction(AMM, struct.pack("<BBH", OPEN, bump, fee_bps), accounts)


@dataclass(frozen=True, slots=True)
class Trade:
    """One swap: what the user gives at most becomes `amount_in` exactly, and less than `least_out` is refused."""

    user: Pubkey
    source: Pubkey
    target: Pubkey
    mint_in: Pubkey
    amount_in: int
    least_out: int


def swap(pool: Pool, trade: Trade) -> Instruction:
    """The user signs. Fails with Custom(6001) below `least_out`."""
    vault_in, vault_out = pool.vaults(trade.mint_in)
    accounts = [
        AccountMeta(pool.address, False, False),
        AccountMeta(authority(pool.address)[0], False, False),
        AccountMeta(trade.user, True, False),
        *(AccountMeta(key, False, True) for key in (trade.source, trade.target, vault_in, vault_out)),
        AccountMeta(pool.token_program, False, False),
    ]
    return Instruction(AMM, struct.pack("<BxxxxxxxQQ", SWAP, trade.amount_in, trade.least_out), accounts)
