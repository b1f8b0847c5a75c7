"""The treasury as its owner configured it: every name resolved, every number exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from bridges.settings import RailSettings
from chains.ids import AccountId, ChainId, TokenId
from chains.keys import KeyReference
from chains.settings import ChainSettings
from chains.tokens import AssetId, Token
from coordinator.prices.base import PriceRule
from policies.base import Policy, Targets, Trigger


@dataclass(frozen=True, slots=True)
class Limits:
    """What no plan may exceed. USD values of what legs give, `cost` of a whole plan in USD, `slippage` relative to own prices."""

    per_leg: Fraction
    per_turn: Fraction
    per_day: Fraction
    cost: Fraction
    slippage: Fraction


@dataclass(frozen=True, slots=True)
class Envelope:
    """How far the world may move between plan and apply: `cost` in USD, `price_move` relative, `balance_move` relative to NAV."""

    cost: Fraction
    price_move: Fraction
    balance_move: Fraction


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """Seconds: a plan may be applied for `ttl`; its last leg may start `start_within` after it was made."""

    ttl: int
    start_within: int
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class SignerPlace:
    """Who holds the keys. `process`: another process does, under the policy in the file `policy`; at `socket` when it is not ours to start.

    `price_tolerance` and `message_fee` (whole native coins) go into that policy when it is written.
    """

    process: bool = False
    policy: Path = Path("signer-policy.json")
    socket: Path | None = None
    price_tolerance: Fraction = Fraction(1, 10)
    message_fee: Fraction = Fraction(1, 100)


@dataclass(frozen=True, slots=True)
class Treasury:
    """Everything a configuration says. Mappings keep the order of the file.

    `tokens` holds the native coin of every chain too. `names`: how people call a token, as in `base.USDC`. `keys` lacks chains that
    are only watched. `config_hash`: sha256 (hex) of the canonical content, without the state path and without what URLs may hide.
    """

    name: str
    file: Path
    database: Path
    chains: Mapping[ChainId, ChainSettings]
    accounts: Mapping[ChainId, AccountId]
    keys: Mapping[ChainId, KeyReference]
    assets: Mapping[AssetId, PriceRule]
    tokens: Mapping[TokenId, Token]
    names: Mapping[TokenId, str]
    forms: Mapping[TokenId, str]
    rails: Mapping[str, RailSettings]
    targets: Targets
    policy: Policy
    trigger: Trigger
    limits: Limits
    plan: PlanTerms
    config_hash: str
    signer: SignerPlace = SignerPlace()

    def native(self, chain: ChainId) -> Token:
        """The chain's own coin. Raises KeyError for a chain that is not configured."""
        return self.chains[chain].native_token

    def gas_floor(self, chain: ChainId) -> int:
        """Native base units that a plan must leave for network fees."""
        return self.chains[chain].gas_floor_amount.units

    def chain_named(self, name: str) -> ChainId | None:
        """The chain that people call `name`, or whose id it is."""
        return next((id_ for id_, settings in self.chains.items() if name in {settings.name, str(id_)}), None)

    def token_named(self, name: str) -> Token | None:
        """The token that people call `name`, or whose id it is."""
        return next((token for id_, token in self.tokens.items() if name in {self.names[id_], str(id_)}), None)
