"""What a configuration says about a Hyperlane warp route: the route's end on each chain."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from pydantic import Field, model_validator

from bridges.settings import Exact, RailSettings, Seconds, TokenKey
from chains.ids import EVM, SOLANA, ChainId, check_address
from chains.settings import ChainIdField


class HyperlaneChain(RailSettings):
    """The route on one chain. `domain`: Hyperlane's number of it. `mailbox`, `warp`: contract addresses (EVM) or program ids (Solana).

    `token`: what the route locks or mints here; on an EVM chain whose warp contract is itself the token, both addresses are the same.
    """

    domain: int = Field(gt=0, lt=2**32)
    mailbox: str
    warp: str
    token: TokenKey


class HyperlaneSettings(RailSettings):
    """A warp route of one asset. `pairs`: chains between which it is used, either way; empty means between all of `chains`.

    `minimum`: least amount worth a transfer, whole tokens. `seconds`: usual time from a final departure to delivery.
    `fee_buffer_percent`: how far above the quoted message fee one may still be signed for.
    """

    chains: dict[ChainIdField, HyperlaneChain] = Field(min_length=2)
    pairs: tuple[tuple[ChainIdField, ChainIdField], ...] = ()
    minimum: Exact = Decimal("0.01")
    seconds: Seconds = 90
    fee_buffer_percent: int = Field(default=50, ge=0, le=1000)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        domains: dict[int, ChainId] = {}
        for chain, here in self.chains.items():
            if chain.namespace not in (EVM, SOLANA):
                raise ValueError(f"chains.{chain}: this rail knows the families {EVM} and {SOLANA}")
            for address in (here.mailbox, here.warp):
                check_address(chain, address)
            if here.token.chain != chain or here.token.is_native:
                raise ValueError(f"chains.{chain}.token is {here.token}; name an ERC-20 or SPL token of {chain}")
            if here.domain in domains:
                raise ValueError(f"chains.{chain} and chains.{domains[here.domain]} both claim Hyperlane domain {here.domain}")
            domains[here.domain] = chain
        for one, other in self.pairs:
            if one == other or not {one, other} <= self.chains.keys():
                raise ValueError(f"pairs: {one} and {other} must be two different chains of: {', '.join(map(str, self.chains))}")
        return self
