"""The Solana swap venue's settings and composition; swaps themselves run on the local network."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bridges.base import Surroundings
from bridges.http import Http
from bridges.registry import RAILS
from bridges.venues.settings import JUPITER_V6, SolanaAmmSettings
from chains.errors import Misconfigured
from chains.ids import ChainId, TokenId
from chains.simulated import SimulatedNetwork, SimulatedWorld
from chains.tokens import Token

CHAIN = ChainId.parse("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")
SOL = Token(TokenId(CHAIN, "slip44", "501"), "SOL", 9)
USDC = Token(TokenId(CHAIN, "token", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"), "USDC", 6)
WRAPPED = Token(TokenId(CHAIN, "token", "So11111111111111111111111111111111111111112"), "WSOL", 9)
PLAIN: dict[str, Any] = {"chain": str(CHAIN), "pairs": [[str(SOL.id), str(USDC.id)]]}


def surroundings(*tokens: Token) -> Surroundings:
    world = SimulatedWorld()
    network = world.add(SimulatedNetwork(SOL))
    return Surroundings({CHAIN: world.chain(CHAIN)}, {token.id: token for token in tokens}, {CHAIN: network.account("us")}, Http())


def test_settings__plain__mean_jupiter() -> None:
    settings = SolanaAmmSettings.model_validate(PLAIN)
    assert (settings.api, settings.programs) == ("https://api.jup.ag", {JUPITER_V6: "jupiter-v6"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"chain": "eip155:1"}, "solana"),
        ({"pairs": []}, "at least 1"),
        ({"pairs": [[str(SOL.id), str(SOL.id)]]}, "two different"),
        ({"pairs": [[str(SOL.id), str(USDC.id)], [str(USDC.id), str(SOL.id)]]}, "twice"),
        ({"pairs": [[str(SOL.id), "eip155:1/slip44:60"]]}, "not of solana"),
        ({"programs": {"not base58!": "pool"}}, "not a Solana address"),
        ({"programs": {JUPITER_V6: "raydium"}}, "jupiter-v6"),
        ({"max_impact_bps": 10_000}, "less than"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_settings__not_usable__say_why(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        SolanaAmmSettings.model_validate(PLAIN | change)


def test_build__configured_pair__gives_both_directions() -> None:
    rail = RAILS["solana-amm"].build(SolanaAmmSettings.model_validate(PLAIN), surroundings(SOL, USDC))
    assert [(lane.source, lane.target) for lane in rail.lanes()] == [(SOL, USDC), (USDC, SOL)]


@pytest.mark.parametrize(
    ("tokens", "says"), [((SOL,), "is no token of this treasury"), ((SOL, USDC, WRAPPED), "would unwrap what the treasury holds")]
)
def test_build__treasury_does_not_fit__is_misconfigured(tokens: tuple[Token, ...], says: str) -> None:
    with pytest.raises(Misconfigured, match=says):
        RAILS["solana-amm"].build(SolanaAmmSettings.model_validate(PLAIN), surroundings(*tokens))


def test_build__chain_unknown__is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="no chain or no account"):
        RAILS["solana-amm"].build(SolanaAmmSettings.model_validate(PLAIN), Surroundings({}, {}, {}, Http()))
