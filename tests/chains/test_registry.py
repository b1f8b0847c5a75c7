"""The table of chain kinds: complete, and light until a chain is really built."""

from __future__ import annotations

import subprocess
import sys

import pytest

from chains.registry import CHAINS
from chains.settings import EvmSettings, SolanaSettings

NATIVE = {"asset": "ETH", "decimals": 18, "slip44": 60}
ENDPOINT = {"url": "http://127.0.0.1:1", "trust_domain": "a"}
EVM = EvmSettings.model_validate({"id": "eip155:1", "name": "one", "endpoints": [ENDPOINT], "native": NATIVE})


def test_chains__each_kind__settings_name_it() -> None:
    assert set(CHAINS) == {"evm", "solana", "simulated"}
    for kind, entry in CHAINS.items():
        assert entry.settings.model_fields["kind"].default == kind


async def test_build__settings_of_the_kind__a_chain_with_that_id() -> None:
    chain = CHAINS["evm"].build(EVM, {})
    assert (chain.id, chain.native, chain.atomic) == (EVM.id, EVM.native_token, False)
    await chain.aclose()


def test_build__settings_of_another_kind__refused() -> None:
    with pytest.raises(TypeError, match=f"eip155:1: settings of kind 'evm' where {SolanaSettings.__name__} was needed"):
        CHAINS["solana"].build(EVM, {})


def test_registry__only_imported__loads_no_chain_library() -> None:
    heavy = "{'web3', 'solana', 'solders', 'eth_account', 'aiohttp'}"
    script = f"import sys, chains.registry, chains.keys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
