"""Chain settings: strict, frozen, with errors that say what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chains.settings import EvmSettings, SolanaSettings

NATIVE = {"asset": "ETH", "decimals": 18, "slip44": 60}
ENDPOINTS = [{"url": "http://127.0.0.1:1/secret-key", "trust_domain": name} for name in ("a", "b")]
GOOD: dict[str, Any] = {"id": "eip155:1", "name": "one", "endpoints": ENDPOINTS, "quorum": 2, "native": NATIVE, "gas_floor": "0.05"}


def test_evm_settings__good__round_trips_through_json() -> None:
    made = EvmSettings(**GOOD)
    assert EvmSettings.model_validate_json(made.model_dump_json()) == made
    assert made.gas_floor_amount.units == 5 * 10**16
    assert str(made.native_token.id) == "eip155:1/slip44:60"


def test_evm_settings__number_written_without_quotes__is_exact() -> None:
    assert EvmSettings(**{**GOOD, "gas_floor": 0.05}).gas_floor == "0.05"
    assert EvmSettings(**{**GOOD, "gas_floor": 1}).gas_floor_amount.units == 10**18


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quorum": 3}, r"belong to 2 trust domain\(s\) \(a, b\); allowed: 1 to 2"),
        ({"quorum": 0}, "greater than or equal to 1"),
        ({"endpoints": [ENDPOINTS[0]] * 2}, r"belong to 1 trust domain\(s\)"),
        ({"endpoints": []}, "at least 1"),
        ({"endpoints": [{"url": "ftp://x", "trust_domain": "a"}]}, "http:// or https://"),
        ({"endpoints": [{"url": "http://x"}]}, "Field required"),
        ({"id": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"}, "its id starts with eip155:"),
        ({"id": "one"}, "is not a chain id"),
        ({"gas_floor": "0.0000000000000000001"}, "finer than its 18 decimals"),
        ({"gas_floor": "-1"}, "zero or more"),
        ({"gas_floor": "NaN"}, "finite"),
        ({"gas_floor": "much"}, "not a decimal number"),
        ({"gas_floor": True}, "valid string"),
        ({"multicall": "0xca11bde05977b3631167028862be2a173976ca11"}, "EIP-55"),
        ({"finality": "latest"}, "finalized"),
        ({"finality": 0}, "greater than or equal to 1"),
        ({"gas_flor": "1"}, "not permitted"),
        ({"kind": "solana"}, "evm"),
    ],
)
def test_evm_settings__wrong__refused_in_words(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        EvmSettings(**{**GOOD, **change})


def test_settings__printed__no_access_key() -> None:
    made = EvmSettings(**GOOD)
    assert "secret-key" not in f"{made} {made!r} {made.endpoints[0]}"


def test_settings__changed_afterwards__refused() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        EvmSettings(**GOOD).quorum = 1  # type: ignore[misc]  # on purpose


def test_solana_settings__evm_id__refused() -> None:
    with pytest.raises(ValidationError, match="its id starts with solana:"):
        SolanaSettings(**GOOD)
