"""Account layouts, read from bytes that the real programs wrote."""

from __future__ import annotations

import pytest

from bridges.hyperlane.solana_accounts import dispatched_message, read_route, token_units
from chains.errors import Misconfigured

# The token account of a collateral route with two remote routers and no gas paymaster, as tokenCollateral of
# @hyperlane-xyz/sealevel-sdk 34.0.0 wrote it.
ROUTE = bytes.fromhex(
    "01ff174b5498245a7fd763978dcb1ef755939ac37dcc168e9d599fca01b3967321e8a7c9a2a6404e5bc5d31673027d23"
    "acab09f2ed803bd38572cd351a38d737cab3ff0606012a744fce31f02953c03b6b5e4cb98e56a9f84f556eba5f55b907"
    "efc07725b80101c38c22d864705c503da460628ac133df44818e422180d57509bd861e763f6bae000000000002000000"
    "292ade0100000000000000000000000011111111111111111111111111111111111111112a2ade010000000000000000"
    "00000000222222222222222222222222222222222222222206ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b3791"
    "3a8cf5857eff00a9698eaea9275d7ed24d50cdc3fac91e70bb348a31fef27f984f8b7873af4859dc62d11bd2975b5ad4"
    "36efd9cf1b081f5a2390fefdf583bf398b169c63b0df76c3fefd0000000000"
)
WARP = "BPFLoader1111111111111111111111111111111111"


def test_read_route__as_the_real_program_wrote_it__every_field() -> None:
    route = read_route(WARP, ROUTE)
    assert route.mailbox == "2Zvzyv2sstAhs9wu1xaLpH5X17dVouEb8zjkBRPKsSy5"
    assert (route.decimals, route.remote_decimals, route.wants_gas_payment) == (6, 6, False)
    assert route.routers == {31337001: bytes(12) + b"\x11" * 20, 31337002: bytes(12) + b"\x22" * 20}
    assert route.token_program == "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
    assert bytes.fromhex("698eaea9275d7ed24d50cdc3fac91e70bb348a31fef27f984f8b7873af4859dc") in ROUTE
    assert route.mint == "873zqY4tghswMFFEXZUhA4vVpGwC2TKQtKBEYLemWyZM"
    assert route.escrow == "7ejtgrqbb9HyJ9yTxZn2gwAmJFcavzgXxbVPtAj7juea"


def test_read_route__with_gas_paymaster_and_gas_amounts__read_past_them() -> None:
    igp = b"\1" + bytes(32) + b"\1" + bytes(32)
    at = ROUTE.index(bytes.fromhex("0000000000020000"))  # no paymaster, no gas amounts, two routers
    gas = (1).to_bytes(4, "little") + (31337001).to_bytes(4, "little") + (200_000).to_bytes(8, "little")
    route = read_route(WARP, ROUTE[:at] + igp + gas + ROUTE[at + 5 :])
    assert route.wants_gas_payment
    assert set(route.routers) == {31337001, 31337002}
    assert route.mint == "873zqY4tghswMFFEXZUhA4vVpGwC2TKQtKBEYLemWyZM"


@pytest.mark.parametrize("data", [b"", b"\0" * 379, ROUTE[:60], ROUTE[:-80], b"\2" + ROUTE[1:]])
def test_read_route__absent_or_cut__misconfigured(data: bytes) -> None:
    with pytest.raises(Misconfigured, match=WARP):
        read_route(WARP, data)


def test_dispatched_message__behind_its_head__is_all_the_rest() -> None:
    account = b"\1DISPATCH" + bytes(4 + 8 + 32) + b"message"
    assert dispatched_message(account) == b"message"


@pytest.mark.parametrize("data", [b"\0DISPATCH", b"\1PROCESSD" + bytes(60), b""])
def test_dispatched_message__another_account__misconfigured(data: bytes) -> None:
    with pytest.raises(Misconfigured):
        dispatched_message(data)


def test_token_units__account_and_nothing__amount_and_zero() -> None:
    assert token_units(bytes(64) + (5_000_001).to_bytes(8, "little") + bytes(93)) == 5_000_001
    assert token_units(b"") == 0
