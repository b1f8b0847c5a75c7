"""What Hyperlane's validators agree on: messages on the wire, the merkle tree of an origin, signed checkpoints.

Message: version u8 | nonce u32 | origin u32 | sender 32 | target u32 | recipient 32 | body, all big-endian.
Metadata of a message-id multisig: tree hook 32 | root 32 | index u32 | signatures in the validator set's order.
Source: hyperlane-monorepo, solidity/contracts/libs/{Message,Merkle,CheckpointLib}.sol.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from deploy.localnet.accounts import HYPERLANE_THRESHOLD, HYPERLANE_VALIDATORS, account

HEADER = 77
DEPTH = 32


@dataclass(frozen=True, slots=True)
class Message:
    """A message over its raw bytes; the readers name its parts."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) < HEADER:
            raise ValueError(f"a Hyperlane message has at least {HEADER} bytes, not {len(self.raw)}")

    @property
    def id(self) -> bytes:
        return keccak(self.raw)

    @property
    def nonce(self) -> int:
        return int.from_bytes(self.raw[1:5], "big")

    @property
    def origin(self) -> int:
        return int.from_bytes(self.raw[5:9], "big")

    @property
    def target(self) -> int:
        return int.from_bytes(self.raw[41:45], "big")

    @property
    def recipient(self) -> bytes:
        return self.raw[45:77]

    @property
    def body(self) -> bytes:
        return self.raw[77:]


def _empty_roots() -> list[bytes]:
    roots = [bytes(32)]
    while len(roots) <= DEPTH:
        roots.append(keccak(roots[-1] + roots[-1]))
    return roots


EMPTY = _empty_roots()


class Tree:
    """The incremental merkle tree of one origin; every root it ever had stays known, by the index of its last leaf."""

    def __init__(self) -> None:
        self._branch = list(EMPTY[:DEPTH])
        self.roots: list[bytes] = []

    def insert(self, leaf: bytes) -> int:
        """The leaf's index."""
        index = len(self.roots)
        size, node = index + 1, leaf
        for level in range(DEPTH):
            if size >> level & 1:
                self._branch[level] = node
                break
            node = keccak(self._branch[level] + node)
        self.roots.append(self._root(size))
        return index

    def _root(self, size: int) -> bytes:
        node = bytes(32)
        for level in range(DEPTH):
            pair = self._branch[level] + node if size >> level & 1 else node + EMPTY[level]
            node = keccak(pair)
        return node


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One message's place in its origin's tree: what a validator signs."""

    message: Message
    hook: bytes
    root: bytes
    index: int

    def digest(self) -> bytes:
        domain = keccak(self.message.origin.to_bytes(4, "big") + self.hook + b"HYPERLANE")
        return keccak(domain + self.root + self.index.to_bytes(4, "big") + self.message.id)


def metadata(checkpoint: Checkpoint, live: int) -> bytes | None:
    """The first validators' signatures, as many as the threshold; None while fewer than that are `live`."""
    if live < HYPERLANE_THRESHOLD:
        return None
    signed = encode_defunct(checkpoint.digest())
    head = checkpoint.hook + checkpoint.root + checkpoint.index.to_bytes(4, "big")
    signers = (account(role, 31337001) for role in HYPERLANE_VALIDATORS[:HYPERLANE_THRESHOLD])
    return head + b"".join(bytes(signer.sign_message(signed).signature) for signer in signers)
