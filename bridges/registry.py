"""The table of rails: every way value may move that this program knows, by name.

Explicit and typed on purpose, never entry points: code that happens to be installed must not be able to
move funds. Both sides of a line are imported when first asked for, so that reading a configuration never
imports web3 or solana.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from bridges.base import Rail, Surroundings
from bridges.settings import RailSettings


@dataclass(frozen=True, slots=True)
class RailKind:
    """One line of the table, as `module:name`: the model of the rail's configuration (a light module) and the function that builds it.

    The function has the shape `build(settings, surroundings) -> Rail` and does no I/O.
    """

    model: str
    builder: str

    @property
    def settings(self) -> type[RailSettings]:
        found = _named(self.model)
        if not (isinstance(found, type) and issubclass(found, RailSettings)):
            raise TypeError(f"{self.model} is not a RailSettings model")
        return found

    def build(self, settings: RailSettings, surroundings: Surroundings) -> Rail:
        """A rail over these networks. Raises Misconfigured when settings and surroundings do not fit together."""
        rail: Rail = _named(self.builder)(settings, surroundings)
        return rail


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


RAILS: Mapping[str, RailKind] = {
    "cctp": RailKind("bridges.settings:CctpSettings", "bridges.cctp.rail:build"),
    "hyperlane": RailKind("bridges.hyperlane.settings:HyperlaneSettings", "bridges.hyperlane.rail:build"),
    "uniswap": RailKind("bridges.settings:UniswapSettings", "bridges.venues.uniswap:build"),
    "wrapped-native": RailKind("bridges.settings:WrappedNativeSettings", "bridges.venues.wrapped_native:build"),
    "solana-amm": RailKind("bridges.venues.settings:SolanaAmmSettings", "bridges.venues.solana_amm:build"),
    "simulated-bridge": RailKind("bridges.simulated:SimulatedBridgeSettings", "bridges.simulated:build_bridge"),
    "simulated-venue": RailKind("bridges.simulated:SimulatedVenueSettings", "bridges.simulated:build_venue"),
}
