"""Settings of the Solana swap venue. Light: reading a configuration imports nothing of the venue."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bridges.settings import RailSettings, Seconds, TokenKey, Url
from chains.ids import SOLANA, ChainId, check_address
from chains.settings import SolanaChainId

Layout = Literal["jupiter-v6", "pool"]
JUPITER_V6 = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"
_ANY_SOLANA = ChainId(SOLANA, "any")  # the address format is the same on every cluster


class SolanaAmmSettings(RailSettings):
    """Swaps on one Solana chain through an API in the shape of Jupiter's Swap API v1.

    `api`: its address, before /swap/v1. `pairs`: tokens that may be swapped, either way; SPL Token or the native coin.
    `programs`: what may execute a swap, and how its instruction is laid out: nothing else is ever signed.
    `max_impact_bps`: how far one swap may worsen its own price; limits its size. `max_accounts`: of a route, so that it
    fits into one transaction. `compute_units`: usual work of a swap. `swap_seconds`: usual time until it is final.
    """

    api: Url = "https://api.jup.ag"
    chain: SolanaChainId
    pairs: tuple[tuple[TokenKey, TokenKey], ...] = Field(min_length=1)
    programs: dict[str, Layout] = Field({JUPITER_V6: "jupiter-v6"}, min_length=1)
    max_impact_bps: Annotated[int, Field(gt=0, lt=10_000)] = 100
    max_accounts: Annotated[int, Field(ge=8, le=64)] = 20
    compute_units: Annotated[int, Field(gt=0, le=1_400_000)] = 200_000
    swap_seconds: Seconds = 15

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for token in (token for pair in self.pairs for token in pair):
            if token.chain != self.chain:
                raise ValueError(f"pairs: {token} is a token of {token.chain}, not of {self.chain}")
        if any(one == other for one, other in self.pairs):
            raise ValueError("pairs: a pair needs two different tokens")
        if len({frozenset(pair) for pair in self.pairs}) != len(self.pairs):
            raise ValueError("pairs: a pair is listed twice; each counts for both directions")
        for program in self.programs:
            check_address(_ANY_SOLANA, program)
        return self
