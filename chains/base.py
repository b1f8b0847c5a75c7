"""The protocols of a chain, and the data that crosses them.

A `Reader` looks at a network; a `Chain` can also act on it. Rails get readers only, so a rail that
tries to spend does not type-check. Both are implemented by `chains.evm`, `chains.solana` and
`chains.simulated`; the contract suite in tests/contract holds all three to the words below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token


@dataclass(frozen=True, slots=True)
class Unknown:
    """An absent, failed or contradictory read. Never zero, never part of a sum."""

    reason: str


@dataclass(frozen=True, slots=True, order=True)
class Height:
    """A block (EVM) or slot (Solana). `time` is the chain's own clock, unix seconds."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What accounts held at one finalized height. Every asked (account, token) has an entry: a balance in base units or Unknown."""

    chain: ChainId
    height: Height
    holdings: Mapping[tuple[AccountId, TokenId], int | Unknown]


@dataclass(frozen=True, slots=True)
class AccountMeta:
    """One account of a Solana instruction. EVM calls have none."""

    address: str
    signer: bool = False
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One thing asked of a chain: a contract call (EVM) or an instruction (Solana).

    `target`: contract address or program id. `value`: native base units sent along (EVM).
    `cosigners`: 32-byte seeds of one-time Ed25519 keys that must also sign (Solana); such a key
    identifies a message and controls nothing. `purpose`: what it is for, in words, for people and the journal.
    """

    chain: ChainId
    target: str
    data: bytes
    purpose: str
    value: int = 0
    accounts: tuple[AccountMeta, ...] = ()
    cosigners: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Submission:
    """A signed transaction whose reference is known before it is sent.

    `reference`: transaction hash (EVM) or first signature (Solana). `sequence`: account nonce (EVM), None
    on Solana. `valid_until`: last block height at which it can land (Solana), None on EVM.
    """

    chain: ChainId
    sender: AccountId
    reference: str
    raw: bytes
    sequence: int | None
    valid_until: int | None


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of one account's balance by one transaction, network fee left out. `units` is signed."""

    account: AccountId
    token: TokenId
    units: int


@dataclass(frozen=True, slots=True)
class Log:
    """An EVM event: topics as 0x-hex of 32 bytes. Solana receipts carry none."""

    address: str
    topics: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a transaction did. `final`: it can no longer be undone by the chain. `reason`: why it failed, if it did.

    `fee`: native base units the sender paid to the network, whether it succeeded or not.
    """

    chain: ChainId
    reference: str
    sender: AccountId
    height: Height
    succeeded: bool
    final: bool
    fee: int
    movements: tuple[Movement, ...]
    logs: tuple[Log, ...] = ()
    reason: str = ""

    def moved(self, account: AccountId, token: TokenId) -> int:
        """Net change of the account's balance of the token, base units, network fee left out."""
        return sum(m.units for m in self.movements if m.account == account and m.token == token)


@dataclass(frozen=True, slots=True)
class Pending:
    """The submission has not landed and still can."""

    detail: str


@dataclass(frozen=True, slots=True)
class Landed:
    """The submission is in a block: see `receipt.final` and `receipt.succeeded`."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Dead:
    """Proof that the submission can never land. `foreign`: another transaction took its place in our account."""

    proof: str
    foreign: bool = False


Fate = Pending | Landed | Dead


class Reader(Protocol):
    """A network, to look at. Every method may raise Unreachable, RateLimited or Unknowable (all RETRY), or WrongNetwork (HALT)."""

    @property
    def id(self) -> ChainId: ...

    @property
    def native(self) -> Token:
        """The chain's own coin, in which fees are paid."""

    async def head(self) -> Height:
        """The newest finalized height."""

    async def snapshot(self, accounts: Sequence[AccountId], tokens: Sequence[Token]) -> Snapshot:
        """Balances of all accounts in all tokens (native included if asked) at one finalized height."""

    async def decimals(self, token: TokenId) -> int:
        """Decimals as the chain itself says. Raises Misconfigured when the token does not exist."""

    async def read(self, call: Call) -> bytes:
        """EVM: the return data of a call at the latest block. Solana: the data of account `call.target` (empty if absent).

        Raises Reverted with the contract's reason.
        """

    async def receipt(self, reference: str) -> Receipt | None:
        """What a transaction did, or None when the chain does not know it (which proves nothing)."""

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        """Transactions since height `since` that emitted a matching log from `address` (EVM; None matches any topic)
        or touched the account `address` (Solana; `topics` is ignored). Oldest first, failed ones included on Solana."""

    async def fee(self, work: int) -> Amount:
        """What `work` gas (EVM) or compute units (Solana) would cost now, in the native coin."""

    async def aclose(self) -> None:
        """Close its connections; it is not used afterwards."""


class Chain(Reader, Protocol):
    """A network, to act on."""

    @property
    def atomic(self) -> bool:
        """True when several calls can be one transaction (Solana); False when each call is its own (an EVM account with a key)."""

    async def sequence(self, sender: AccountId) -> int | None:
        """The account's next nonce as the chain knows it, pending included; None where there are no nonces (Solana)."""

    async def stopped(self, account: AccountId, token: TokenId) -> str:
        """Why the account, which holds some of the token, cannot move it now: the issuer paused the token or froze the account.

        Empty when nothing stops it, as far as the chain shows. Raises what a Reader raises.
        """

    async def prepare(self, sender: AccountId, calls: Sequence[Call], sequence: int | None) -> Submission:
        """Simulate, then sign as one unit; send nothing. Raises Reverted or Unfunded when it would fail, Misconfigured without a key."""

    async def submit(self, submission: Submission) -> None:
        """Send, or send again: lands at most once. Raises SendInDoubt for any doubt: never proof that it was not sent."""

    async def fate(self, submission: Submission) -> Fate:
        """Where the submission stands. Landed and Dead are answered only as the configured quorum proves them."""


class Signer(Protocol):
    """A key, used without being seen. `repr` shows the account only."""

    @property
    def account(self) -> AccountId: ...

    async def sign(self, unsigned: bytes) -> bytes:
        """EVM: an unsigned typed transaction (0x02 ‖ RLP) -> 65-byte signature r‖s‖y_parity. Solana: message bytes -> 64-byte signature."""
