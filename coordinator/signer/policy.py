"""What the signer allows: its own data, read from its own file, never from the process that asks.

Addresses are raw bytes (20 on EVM, 32 on Solana, 32 in messages to other chains). Amounts are base units. Deny by default: what
has no entry here is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Key:
    """Where a key lies: a keystore with its password file (EVM), or a keypair file (Solana)."""

    keystore: Path | None = None
    password_file: Path | None = None
    keypair: Path | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """Most base units of a token in one transaction, and in any window."""

    per_transaction: int
    per_window: int


@dataclass(frozen=True, slots=True)
class CctpEnd:
    """Another end of CCTP: our own account there, its TokenMessenger and its USDC, each as 32 bytes."""

    recipient: bytes
    messenger: bytes
    usdc: bytes


@dataclass(frozen=True, slots=True)
class Cctp:
    """CCTP v2 on this chain. `ends`: the other ends by domain. `max_fee`: the share of a burn that Circle may keep."""

    domain: int
    messenger: bytes
    transmitter: bytes
    usdc: bytes
    ends: Mapping[int, CctpEnd]
    max_fee: Fraction


@dataclass(frozen=True, slots=True)
class Route:
    """A Hyperlane warp route on this chain. `recipients`: our own accounts at the other ends, 32 bytes, by domain.

    `max_message_fee`: native base units that may be sent along (EVM). `mailbox` is needed on Solana only.
    """

    warp: bytes
    mailbox: bytes
    token: bytes
    recipients: Mapping[int, bytes]
    max_message_fee: int


@dataclass(frozen=True, slots=True)
class Router:
    """Uniswap's SwapRouter02. `pairs`: (token in, token out), each direction its own entry."""

    router: bytes
    pairs: frozenset[tuple[bytes, bytes]]
    fee_tiers: frozenset[int]


@dataclass(frozen=True, slots=True)
class EvmRules:
    """One EVM chain. `tokens`: CAIP-19 ids by address. `wrapped`: the WETH-like contract that may be filled and emptied, if any."""

    chain: str
    chain_id: int
    account: bytes
    native: str
    max_fee: int
    max_priority_fee: int
    max_gas: int
    tokens: Mapping[bytes, str]
    cctp: Cctp | None = None
    route: Route | None = None
    router: Router | None = None
    wrapped: bytes | None = None


@dataclass(frozen=True, slots=True)
class SolanaRules:
    """One Solana cluster. `tokens`: CAIP-19 ids by mint; wrapped SOL stands for the native coin.

    `max_price`: micro-lamports a compute unit; `max_fee`: lamports a transaction. `programs`: what may swap, with the layout of its
    instruction. `pairs`: (mint in, mint out), each direction its own entry.
    """

    chain: str
    account: bytes
    native: str
    max_price: int
    max_fee: int
    tokens: Mapping[bytes, str]
    route: Route | None
    programs: Mapping[bytes, str]
    pairs: frozenset[tuple[bytes, bytes]]


Rules = EvmRules | SolanaRules


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything the signer allows. `accounts`: rules by CAIP-10 account, `keys` likewise.

    `prices`: micro-USD of one base unit by token. `window`: seconds; `window_usd` and `fees_usd`: micro-USD that effects and network
    fees may come to in any of them. `swap_floor`: the share of its value, at these prices, that a swap must bring at least.
    `max_deadline`: seconds from now that a swap may stay open. `clients`: user ids that may ask. `config`: hash of the treasury's
    configuration that this was written from.
    """

    treasury: str
    config: str
    journal: Path
    clients: frozenset[int]
    accounts: Mapping[str, Rules]
    keys: Mapping[str, Key]
    caps: Mapping[str, Cap]
    prices: Mapping[str, Fraction]
    window: int
    window_usd: Fraction
    fees_usd: Fraction
    swap_floor: Fraction
    max_deadline: int

    def value(self, token: str, units: int) -> Fraction | None:
        """Micro-USD; None without a price, which is never zero."""
        price = self.prices.get(token)
        return None if price is None else units * price
