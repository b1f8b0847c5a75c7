"""Mints and token accounts read from bytes, dangerous Token-2022 extensions among them."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_2022_PROGRAM_ID, TOKEN_PROGRAM_ID

from chains.base import Unknown
from chains.errors import Misconfigured
from chains.solana.accounts import Raw, is_frozen, read_balance, read_mint

MINT, OWNER = str(Pubkey.from_bytes(bytes([7] * 32))), str(Pubkey.from_bytes(bytes([8] * 32)))
SOMEBODY = bytes([9] * 32)


def _mint(*extensions: tuple[int, bytes], decimals: int = 6) -> Raw:
    base = bytes(36) + (10**12).to_bytes(8, "little") + bytes([decimals, 1]) + bytes(36)
    if not extensions:
        return Raw(1, TOKEN_PROGRAM_ID, base)
    tail = b"".join(kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value for kind, value in extensions)
    return Raw(1, TOKEN_2022_PROGRAM_ID, base.ljust(165, b"\0") + b"\1" + tail)


def _account(units: int, owner: str = OWNER, mint: str = MINT) -> Raw:
    data = bytes(Pubkey.from_string(mint)) + bytes(Pubkey.from_string(owner)) + units.to_bytes(8, "little")
    return Raw(2_039_280, TOKEN_PROGRAM_ID, data.ljust(165, b"\0"))


def test_read_mint__plain__decimals_and_no_danger() -> None:
    found = read_mint(MINT, _mint(decimals=9))
    assert (found.decimals, found.dangers, found.program) == (9, (), TOKEN_PROGRAM_ID)


@pytest.mark.parametrize(
    ("extension", "word"),
    [
        ((12, SOMEBODY), "PermanentDelegate"),
        ((14, bytes(32) + SOMEBODY), "TransferHook"),
        ((14, SOMEBODY + bytes(32)), "TransferHook"),  # none yet, but its authority can set one
        ((6, b"\2"), "DefaultAccountState"),
        ((26, SOMEBODY + b"\0"), "Pausable"),
    ],
)
def test_read_mint__dangerous_extension_behind_a_harmless_one__named(extension: tuple[int, bytes], word: str) -> None:
    found = read_mint(MINT, _mint((3, SOMEBODY), extension))
    assert len(found.dangers) == 1
    assert word in found.dangers[0]


@pytest.mark.parametrize("extension", [(6, b"\1"), (14, bytes(64)), (12, bytes(32)), (1, bytes(108))])
def test_read_mint__harmless_extension__no_danger(extension: tuple[int, bytes]) -> None:
    assert read_mint(MINT, _mint(extension)).dangers == ()


@pytest.mark.parametrize("account", [None, _account(5), Raw(1, Pubkey.default(), b""), Raw(1, TOKEN_PROGRAM_ID, bytes(82))])
def test_read_mint__not_a_mint__misconfigured(account: Raw | None) -> None:
    with pytest.raises(Misconfigured, match=MINT):
        read_mint(MINT, account)


def test_read_balance__absent_account__real_zero() -> None:
    assert read_balance(OWNER, MINT, None) == 0


def test_read_balance__largest_u64__exact() -> None:
    assert read_balance(OWNER, MINT, _account(2**64 - 1)) == 2**64 - 1


def test_read_balance__lamports_sent_to_the_address_before_it_is_made__zero() -> None:
    assert read_balance(OWNER, MINT, Raw(5, Pubkey.default(), b"")) == 0


@pytest.mark.parametrize("account", [_account(5, owner=MINT), _account(5, mint=OWNER), Raw(1, Pubkey.from_string(OWNER), bytes(165))])
def test_read_balance__somebody_elses_account__unknown(account: Raw) -> None:
    assert isinstance(read_balance(OWNER, MINT, account), Unknown)


@pytest.mark.parametrize(("state", "frozen"), [(1, False), (2, True)])
def test_is_frozen__state_byte__as_the_issuer_set_it(state: int, frozen: bool) -> None:
    data = bytes(108) + bytes([state]) + bytes(56)

    assert is_frozen(Raw(0, TOKEN_PROGRAM_ID, data)) is frozen
