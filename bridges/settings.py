"""What a rail's configuration may say: one strict pydantic model a rail, and the field types they are made of.

Light on purpose: reading a configuration imports this file and nothing of any rail. A rail that is added
puts its model here (or in a light module of its own) and names it in `bridges.registry`.
Ids are written as CAIP writes them; amounts are decimal text in whole tokens, never floats.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from chains.ids import ChainId, TokenId
from chains.settings import EvmAddress, EvmChainId, Strict


class RailSettings(Strict):
    """The common part of every rail's model: unknown keys are refused, nothing changes after reading."""


def _token(value: Any) -> Any:
    return TokenId.parse(value) if isinstance(value, str) else value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{value!r} is not an API's address; write it as in https://iris-api.circle.com")
    return value.rstrip("/")


TokenKey = Annotated[TokenId, BeforeValidator(_token), PlainSerializer(str)]
Url = Annotated[str, AfterValidator(_url)]
Exact = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Seconds = Annotated[int, Field(gt=0)]

CctpLane = Literal["standard", "fast"]


class CctpChain(RailSettings):
    """CCTP v2 on one chain. `domain`: Circle's number of it. `fast`: whether Fast is offered from here (not from every chain).

    `burn_limit`: USDC per message, used only when the TokenMinter cannot be asked. Seconds are the usual time to attestation.
    """

    domain: int = Field(ge=0, lt=2**32)
    token_messenger: EvmAddress
    message_transmitter: EvmAddress
    usdc: TokenKey
    fast: bool = True
    burn_limit: Exact = Decimal(10_000_000)
    standard_seconds: Seconds = 1140
    fast_seconds: Seconds = 20


class CctpSettings(RailSettings):
    """Circle's CCTP v2. `iris`: the attestation API. `lanes`: which of the two are used, between all pairs of `chains`.

    `fast_buffer_bps`: how far above the live Fast fee the signed ceiling lies; a fee that rose above it makes Circle wait for finality.
    `minimum`: least USDC worth a transfer.
    """

    iris: Url = "https://iris-api.circle.com"
    chains: dict[EvmChainId, CctpChain] = Field(min_length=2)
    lanes: tuple[CctpLane, ...] = ("standard", "fast")
    fast_buffer_bps: Exact = Decimal("0.5")
    minimum: Exact = Decimal("0.01")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        domains: dict[int, ChainId] = {}
        for chain, here in self.chains.items():
            if here.usdc.chain != chain:
                raise ValueError(f"chains.{chain}.usdc is {here.usdc}, a token of {here.usdc.chain}; name the USDC of {chain}")
            if here.domain in domains:
                raise ValueError(f"chains.{chain} and chains.{domains[here.domain]} both claim CCTP domain {here.domain}")
            domains[here.domain] = chain
        return self


class UniswapChain(RailSettings):
    """Uniswap v3 on one chain. `pairs`: tokens that may be swapped, either way. `fee_tiers`: hundredths of a basis point."""

    router: EvmAddress
    quoter: EvmAddress
    factory: EvmAddress
    pairs: tuple[tuple[TokenKey, TokenKey], ...] = Field(min_length=1)
    fee_tiers: tuple[Annotated[int, Field(gt=0, lt=1_000_000)], ...] = Field((100, 500, 3000, 10000), min_length=1)


class UniswapSettings(RailSettings):
    """Uniswap v3 through SwapRouter02 and QuoterV2. `max_impact_bps`: how far one swap may worsen its own price; limits its size.

    `swap_seconds`: usual time until a swap is final.
    """

    chains: dict[EvmChainId, UniswapChain] = Field(min_length=1)
    max_impact_bps: Annotated[int, Field(gt=0, lt=10_000)] = 100
    swap_seconds: Seconds = 60

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for chain, here in self.chains.items():
            for token in (token for pair in here.pairs for token in pair):
                if token.chain != chain or token.is_native:
                    raise ValueError(f"chains.{chain}.pairs: {token} is not an ERC-20 of {chain}; wrap a native coin first")
            if any(one == other for one, other in here.pairs):
                raise ValueError(f"chains.{chain}.pairs: a pair needs two different tokens")
            if len({frozenset(pair) for pair in here.pairs}) != len(here.pairs):
                raise ValueError(f"chains.{chain}.pairs: a pair is listed twice; each counts for both directions")
        return self


class WrappedNativeSettings(RailSettings):
    """Wrapping of native coins. `chains`: the wrapped token of each. `seconds`: usual time until a wrap is final."""

    chains: dict[EvmChainId, TokenKey] = Field(min_length=1)
    seconds: Seconds = 60

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for chain, token in self.chains.items():
            if token.chain != chain or token.is_native:
                raise ValueError(f"chains.{chain}: {token} is not an ERC-20 of {chain}; name the wrapped token")
        return self
