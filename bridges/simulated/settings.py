"""Settings of the simulated rails, as a treasury's configuration gives them. Light: nothing of a rail is imported."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridges.settings import Exact, RailSettings, TokenKey

Bps = Annotated[int, Field(ge=0, lt=10_000)]
Seconds = Annotated[int, Field(ge=0)]


class SimulatedBridgeSettings(RailSettings):
    """A bridge in memory between simulated chains of one `world`. `pairs`: both directions each."""

    name: str = "simulated-bridge"
    world: str = "default"
    pairs: tuple[tuple[TokenKey, TokenKey], ...] = Field(min_length=1)
    fee_bps: Bps = 10
    latency_s: Seconds = 30
    claim: bool = False


class SimulatedPoolSettings(RailSettings):
    """A pool; `reserves` in whole tokens, in the order of `tokens`."""

    tokens: tuple[TokenKey, TokenKey]
    reserves: tuple[Exact, Exact]
    fee_bps: Bps = 30


class SimulatedVenueSettings(RailSettings):
    """A swap venue in memory on simulated chains of one `world`. `share_bps`: of a reserve that one swap may put in."""

    name: str = "simulated-venue"
    world: str = "default"
    pools: tuple[SimulatedPoolSettings, ...] = Field(min_length=1)
    share_bps: Bps = 1_000
