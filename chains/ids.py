"""Names of chains, accounts and tokens, as the CAIP standards write them.

CAIP-2 `eip155:1`, CAIP-10 `eip155:1:0xAb…`, CAIP-19 `eip155:1/erc20:0xA0b8…`,
`eip155:1/slip44:60`, `solana:<32 chars of genesis hash>/token:<mint>`.
Every id is canonical: two ids are the same thing exactly when they are equal. EVM addresses must
carry their EIP-55 checksum, because it is the only guard against a mistyped digit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_NAMESPACE = re.compile(r"[-a-z0-9]{3,8}")
_REFERENCE = re.compile(r"[-_a-zA-Z0-9]{1,32}")
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

EVM = "eip155"
SOLANA = "solana"
NATIVE = "slip44"  # the token kind of a chain's own coin (SLIP-44 coin number)


class InvalidId(ValueError):
    """A text that is not the id it should be; the message says what was found and what is allowed."""


@dataclass(frozen=True, slots=True, order=True)
class ChainId:
    """A network (CAIP-2)."""

    namespace: str
    reference: str

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace) or not _REFERENCE.fullmatch(self.reference):
            raise InvalidId(f"{self} is not a chain id; write it as in eip155:1 or solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")

    @classmethod
    def parse(cls, text: str) -> ChainId:
        namespace, colon, reference = text.partition(":")
        if not colon:
            raise InvalidId(f"{text!r} is not a chain id; write it as in eip155:1")
        return cls(namespace, reference)

    def __str__(self) -> str:
        return f"{self.namespace}:{self.reference}"


@dataclass(frozen=True, slots=True, order=True)
class AccountId:
    """An address on one chain (CAIP-10)."""

    chain: ChainId
    address: str

    def __post_init__(self) -> None:
        check_address(self.chain, self.address)

    @classmethod
    def parse(cls, text: str) -> AccountId:
        namespace, _, rest = text.partition(":")
        reference, colon, address = rest.partition(":")
        if not colon:
            raise InvalidId(f"{text!r} is not an account id; write it as in eip155:1:0xAbC…")
        return cls(ChainId(namespace, reference), address)

    def __str__(self) -> str:
        return f"{self.chain}:{self.address}"


@dataclass(frozen=True, slots=True, order=True)
class TokenId:
    """A token on one chain (CAIP-19): kind `erc20`, `token` (an SPL mint) or `slip44` (the native coin)."""

    chain: ChainId
    kind: str
    reference: str

    def __post_init__(self) -> None:
        if self.kind == NATIVE:
            if not self.reference.isdigit():
                raise InvalidId(f"{self}: a native coin is named by its SLIP-44 number, as in slip44:60")
        elif (self.chain.namespace, self.kind) in {(EVM, "erc20"), (SOLANA, "token")}:
            check_address(self.chain, self.reference)
        else:
            raise InvalidId(
                f"{self}: {self.kind!r} is no token kind of {self.chain.namespace}; allowed: erc20 (EVM), token (Solana), slip44"
            )

    @classmethod
    def parse(cls, text: str) -> TokenId:
        chain, slash, token = text.partition("/")
        kind, colon, reference = token.partition(":")
        if not slash or not colon:
            raise InvalidId(f"{text!r} is not a token id; write it as in eip155:1/erc20:0xA0b8… or eip155:1/slip44:60")
        return cls(ChainId.parse(chain), kind, reference)

    @property
    def is_native(self) -> bool:
        return self.kind == NATIVE

    def __str__(self) -> str:
        return f"{self.chain}/{self.kind}:{self.reference}"


@lru_cache(maxsize=16_384)  # a checksum is a hash, and the same few addresses are named all the time
def check_address(chain: ChainId, address: str) -> None:
    """Raise InvalidId unless `address` is a canonical address of the chain's family (EIP-55, or base58 of 32 bytes)."""
    if chain.namespace == EVM:
        _check_evm(address)
    elif chain.namespace == SOLANA:
        _check_solana(address)
    elif not address:
        raise InvalidId(f"empty address on {chain}")


def _check_evm(address: str) -> None:
    if not _EVM_ADDRESS.fullmatch(address):
        raise InvalidId(f"{address!r} is not an EVM address; it needs 0x and 40 hex digits")
    from chains.keccak import checksummed  # late: costs start-up time that Solana-only callers need not pay

    correct = checksummed(address)
    if address != correct:
        raise InvalidId(f"{address} does not carry its EIP-55 checksum; check every digit, then write {correct}")


def _check_solana(address: str) -> None:
    from solders.pubkey import Pubkey  # late, as above

    try:
        Pubkey.from_string(address)
    except ValueError as problem:
        raise InvalidId(f"{address!r} is not a Solana address (base58 of 32 bytes): {problem}") from None
