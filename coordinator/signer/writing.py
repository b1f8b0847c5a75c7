"""The policy file as it is written from a treasury's configuration: pinned accounts, contracts, and limits in base units.

Runs in the coordinator, before anything is signed. A person reads what it wrote; from then on the signer believes the file alone.
Rails are read as plain settings: nothing of `bridges` is called.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chains.errors import Misconfigured
from chains.ids import EVM, ChainId
from chains.keys import KeyReference
from chains.settings import ChainSettings, EvmSettings, SolanaSettings
from coordinator.signer.policy_file import VERSION

if TYPE_CHECKING:
    from coordinator.config.treasury import Treasury
    from policies.base import Prices

_WINDOW = 86_400  # seconds: the window of limits.per_day
_MAX_GAS = 3_000_000  # of one call; the largest measures 230,000, but some chains count their parent's data as gas
_MAX_UNITS = 1_400_000
_CLOCKS = 60  # seconds that two clocks may differ
_WEI = 10**18
_WRAPPED_SOL = "So11111111111111111111111111111111111111112"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the file says beside the treasury's own limits. `tolerance`: how far prices may move before it must be written again.

    `message_fee`: most native coin, in whole coins, sent along with one message of a bridge. `clients`: user ids that may ask.
    """

    journal: Path
    clients: tuple[int, ...]
    tolerance: Fraction
    message_fee: Fraction


def policy_of(treasury: Treasury, prices: Prices, terms: Terms, now: int) -> dict[str, Any]:
    """The document. Raises Misconfigured when there is nothing to sign for, or when the limits leave a swap no floor."""
    signed = {chain: s for chain, s in treasury.chains.items() if isinstance(s, EvmSettings | SolanaSettings)}
    if not signed:
        raise Misconfigured("no chain of this treasury needs a signer; simulated ones have no keys")
    floor = 1 - treasury.limits.slippage - terms.tolerance
    if floor <= 0:
        raise Misconfigured("limits.slippage and signer.price_tolerance together are 100% or more; then a swap would have no floor")
    limits, room = treasury.limits, 1 + terms.tolerance
    worth = {t: price.value / 10**t.decimals for t in treasury.tokens.values() if (price := prices.by_asset.get(t.asset)) is not None}
    return {
        "version": VERSION,
        "treasury": treasury.name,
        "config": treasury.config_hash,
        "written": str(now),
        "journal": str(terms.journal),
        "clients": list(terms.clients),
        "window_seconds": _WINDOW,
        "window_usd": _number(limits.per_day * room),
        "fees_usd": _number(limits.cost * limits.per_day / limits.per_turn),
        "swap_floor": _number(floor),
        "max_deadline_seconds": treasury.plan.start_within + treasury.plan.ttl + _CLOCKS,
        "prices": {
            str(token.id): {"usd": _number(value * 10**token.decimals), "decimals": token.decimals} for token, value in worth.items()
        },
        "caps": {
            str(token.id): {
                "per_transaction": str(int(limits.per_leg * room / value)),
                "per_window": str(int(limits.per_day * room / value)),
            }
            for token, value in worth.items()
        },
        "chains": {str(chain): _chain(treasury, chain, settings, terms) for chain, settings in signed.items()},
    }


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Readable by its owner alone, and there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(document, opened, indent=1)
        opened.write("\n")
    Path(name).replace(path)


def _chain(treasury: Treasury, chain: ChainId, settings: ChainSettings, terms: Terms) -> dict[str, Any]:
    entry = {
        "account": treasury.accounts[chain].address,
        "key": _key(treasury.keys.get(chain)),
        "native": str(settings.native_token.id),
        "tokens": [token.id.reference for token in treasury.tokens.values() if token.chain == chain and not token.id.is_native],
        "hyperlane": _hyperlane(treasury, chain, terms),
    }
    if isinstance(settings, EvmSettings):
        gwei = {"max_fee_per_gas": settings.max_fee_gwei, "max_priority_fee_per_gas": settings.max_priority_fee_gwei}
        fees = {name: str(int(Decimal(value.replace("_", "")) * 10**9)) for name, value in gwei.items()}
        return entry | fees | {"max_gas": _MAX_GAS} | _evm(treasury, chain)
    assert isinstance(settings, SolanaSettings)
    most = -(-_MAX_UNITS * settings.max_priority_fee // 10**6) + 2 * 5_000
    return entry | {"max_compute_price": settings.max_priority_fee, "max_fee_lamports": most, "swaps": _swaps(treasury, chain)}


def _evm(treasury: Treasury, chain: ChainId) -> dict[str, Any]:
    cctp, uniswap, wrapped = (_rail(treasury, name, chain) for name in ("cctp", "uniswap", "wrapped-native"))
    return {
        "cctp": cctp
        and {
            "domain": cctp["domain"],
            "token_messenger": cctp["token_messenger"],
            "message_transmitter": cctp["message_transmitter"],
            "usdc": _reference(cctp["usdc"]),
            "max_fee": _number(treasury.limits.slippage),
        },
        "uniswap": uniswap
        and {
            "router": uniswap["router"],
            "pairs": [[_reference(token) for token in pair] for pair in uniswap["pairs"]],
            "fee_tiers": list(uniswap["fee_tiers"]),
        },
        "wrapped_native": wrapped and _reference(wrapped),
    }


def _hyperlane(treasury: Treasury, chain: ChainId, terms: Terms) -> dict[str, Any] | None:
    here = _rail(treasury, "hyperlane", chain)
    if here is None:
        return None
    settings = treasury.rails["hyperlane"].model_dump()
    linked = {frozenset(pair) for pair in settings["pairs"]}
    others = [other for other in settings["chains"] if other != str(chain) and (not linked or frozenset((str(chain), other)) in linked)]
    most = int(terms.message_fee * _WEI) if chain.namespace == EVM else 0
    return {
        "domain": here["domain"],
        "to": [settings["chains"][other]["domain"] for other in others],
        "warp": here["warp"],
        "mailbox": here["mailbox"],
        "token": _reference(here["token"]),
        "max_message_fee": str(most),
    }


def _swaps(treasury: Treasury, chain: ChainId) -> dict[str, Any] | None:
    rail = treasury.rails.get("solana-amm")
    settings = rail.model_dump() if rail is not None else {}
    if settings.get("chain") != str(chain):
        return None
    pairs = [[_WRAPPED_SOL if "/slip44:" in token else _reference(token) for token in pair] for pair in settings["pairs"]]
    return {"programs": dict(settings["programs"]), "pairs": pairs}


def _rail(treasury: Treasury, name: str, chain: ChainId) -> Any:
    """What a rail says about a chain, ids as text; None when it does not use it."""
    rail = treasury.rails.get(name)
    return rail.model_dump()["chains"].get(str(chain)) if rail is not None else None


def _key(reference: KeyReference | None) -> dict[str, str] | None:
    if reference is None:
        return None
    return {name: str(path) for name, path in reference if path is not None}


def _reference(token: str) -> str:
    """Address or mint out of a CAIP-19 id."""
    return token.rpartition(":")[2]


def _number(value: Fraction) -> str:
    """Exact: as a decimal where it has one of at most 18 places, else as a ratio."""
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{decimal:f}" if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"
