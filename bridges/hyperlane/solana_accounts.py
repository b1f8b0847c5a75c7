"""Layouts of the accounts that Hyperlane's Solana programs keep: the route, a dispatched message, a token account. Pure.

Source: hyperlane-xyz/hyperlane-monorepo, `rust/sealevel/libraries` (`HyperlaneToken`, `DispatchedMessage`), borsh: little-endian,
options as a byte and the value, maps as a u32 count and pairs. The first byte of each account says it is in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from chains.errors import Misconfigured

DISPATCHED = b"DISPATCH"
_MESSAGE_AT = 1 + len(DISPATCHED) + 4 + 8 + 32  # in use, tag, nonce, slot, unique message key
_UNITS = slice(64, 72)  # of an SPL token account


@dataclass(frozen=True, slots=True)
class Route:
    """A collateral warp route. `routers`: the other ends by domain. Addresses are base58."""

    mailbox: str
    decimals: int
    remote_decimals: int
    wants_gas_payment: bool
    routers: Mapping[int, bytes]
    token_program: str
    mint: str
    escrow: str


class _Borsh:
    """Takes values off the front of bytes; IndexError when they run out."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise IndexError(size)
        self._at += size
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def key(self) -> str:
        return str(Pubkey.from_bytes(self.take(32)))

    def option(self) -> bool:
        return self.number(1) == 1


def read_route(program: str, data: bytes) -> Route:
    """Raises Misconfigured when these bytes are no collateral route."""
    try:
        return _route(_Borsh(data))
    except IndexError:
        raise Misconfigured(
            f"program {program} holds no collateral warp route ({len(data)} bytes found); check `warp` in rails.hyperlane"
        ) from None


def _route(borsh: _Borsh) -> Route:
    if borsh.number(1) != 1:
        raise IndexError(0)
    borsh.take(1)  # bump
    mailbox = borsh.key()
    borsh.take(32 + 1)  # process authority, bump of the dispatch authority
    decimals, remote = borsh.number(1), borsh.number(1)
    for _ in ("owner", "security module"):
        if borsh.option():
            borsh.take(32)
    pays = borsh.option()
    if pays:
        borsh.take(32 + 1 + 32)  # gas paymaster program, its kind, its account
    for _ in range(borsh.number(4)):
        borsh.take(4 + 8)  # gas by domain
    routers = {borsh.number(4): borsh.take(32) for _ in range(borsh.number(4))}
    return Route(mailbox, decimals, remote, pays, routers, borsh.key(), borsh.key(), borsh.key())


def dispatched_message(data: bytes) -> bytes:
    """The message inside a dispatched-message account. Raises Misconfigured for another account."""
    if data[:1] != b"\1" or data[1 : 1 + len(DISPATCHED)] != DISPATCHED:
        raise Misconfigured("the account at the place of our dispatched message is none; check `mailbox` in rails.hyperlane")
    return data[_MESSAGE_AT:]


def token_units(data: bytes) -> int:
    """Base units in an SPL token account; none when it does not exist."""
    return int.from_bytes(data[_UNITS], "little")
