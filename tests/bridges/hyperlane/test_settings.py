"""The route's configuration: what is refused, and why."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bridges.hyperlane.settings import HyperlaneSettings

ALPHA, BETA, SOLANA = "eip155:31337001", "eip155:31337002", "solana:4LWP7q2eEhk54e4pQ72pnk2dDrTCkjzP"
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
PROGRAM = "2Zvzyv2sstAhs9wu1xaLpH5X17dVouEb8zjkBRPKsSy5"


def route(**changes: Any) -> dict[str, Any]:
    evm = {"domain": 31337001, "mailbox": USDC, "warp": USDC, "token": f"{ALPHA}/erc20:{USDC}"}
    solana = {"domain": 1399811149, "mailbox": PROGRAM, "warp": PROGRAM, "token": f"{SOLANA}/token:{MINT}"}
    return {"chains": {ALPHA: evm, SOLANA: solana | changes}}


def test_settings__whole__read_with_defaults() -> None:
    found = HyperlaneSettings.model_validate(route() | {"pairs": [[ALPHA, SOLANA]]})
    assert [str(chain) for chain in found.chains] == [ALPHA, SOLANA]
    assert (found.seconds, str(found.minimum)) == (90, "0.01")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (route(domain=31337001), "both claim Hyperlane domain 31337001"),
        (route(domain=0), "greater than 0"),
        (route(warp=USDC), "not a Solana address"),
        (route(token=f"{ALPHA}/erc20:{USDC}"), "name an ERC-20 or SPL token of solana"),
        (route(token=f"{SOLANA}/slip44:501"), "name an ERC-20 or SPL token"),
        (route(colour="blue"), "Extra inputs are not permitted"),
        (route() | {"pairs": [[ALPHA, BETA]]}, "must be two different chains"),
        (route() | {"pairs": [[ALPHA, ALPHA]]}, "must be two different chains"),
        (route() | {"minimum": "-1"}, "greater than or equal"),
        ({"chains": {ALPHA: route()["chains"][ALPHA]}}, "at least 2"),
    ],
)
def test_settings__wrong__says_what(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        HyperlaneSettings.model_validate(settings)
