"""Amounts as a node shows them, and which bytes are a token account, a mint, or neither."""

import pytest
from solders.account import Account
from solders.pubkey import Pubkey

from deploy.localnet.solana.node.tokens import TOKEN, TOKEN_2022, mint, token_account, ui_amount


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(0, 6, "0"), (1, 6, "0.000001"), (1_500_000, 6, "1.5"), (5, 0, "5"), (10, 0, "10"), (10**15, 6, "1000000000")],
)
def test_ui_amount__units_and_decimals__are_exact_as_text(units: int, decimals: int, text: str) -> None:
    shown = ui_amount(units, decimals)
    assert (shown["amount"], shown["uiAmountString"]) == (str(units), text)


def account(data: bytes, owner: Pubkey = TOKEN) -> Account:
    return Account(1, data, owner)


def test_token_account__its_bytes__are_read() -> None:
    data = bytearray(165)
    data[64:72] = (77).to_bytes(8, "little")
    data[108] = 1
    held = token_account(account(bytes(data)))
    assert held is not None
    assert (held.amount, held.state, held.delegate) == (77, "initialized", None)
    assert mint(account(bytes(data))) is None


@pytest.mark.parametrize(("kind", "is_account", "is_mint"), [(2, True, False), (1, False, True)], ids=["account", "mint"])
def test_extended_token_2022__the_kind_byte__tells_account_from_mint(kind: int, is_account: bool, is_mint: bool) -> None:
    extended = account(bytes(165) + bytes([kind]) + bytes(10), TOKEN_2022)
    assert (token_account(extended) is not None, mint(extended) is not None) == (is_account, is_mint)


def test_token_account__owned_by_another_program__is_none() -> None:
    assert token_account(account(bytes(165), Pubkey.default())) is None
    assert token_account(None) is None
    assert mint(account(bytes(81))) is None
