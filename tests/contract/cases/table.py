"""The tables of cases: every chain and every rail that the contract suites hold to their protocol.

A new implementation is one builder in this folder and one line here. A builder is an async context manager that
yields a case; those in LOCALNET_CHAINS and LOCALNET_RAILS are given the running local network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.contract.cases import evm, evm_rails, hyperlane, simulated, solana, solana_amm, wrapped_native
from tests.contract.cases.base import ChainCase, RailCase

CHAINS: Mapping[str, Callable[[], AbstractAsyncContextManager[ChainCase]]] = {
    "simulated-evm-like": simulated.evm_like,
    "simulated-solana-like": simulated.solana_like,
}

RAILS: Mapping[str, Callable[[], AbstractAsyncContextManager[RailCase]]] = {
    "simulated-bridge": simulated.bridge,
    "simulated-bridge-from-solana-like": simulated.bridge_from_solana,
    "simulated-bridge-to-claim": simulated.bridge_to_claim,
    "simulated-venue": simulated.venue,
    "simulated-venue-native-given": simulated.venue_native_given,
}

LOCALNET_CHAINS: Mapping[str, Callable[[Any], AbstractAsyncContextManager[ChainCase]]] = {
    "evm": evm.evm,
    "solana": solana.solana,
}

LOCALNET_RAILS: Mapping[str, Callable[[Any], AbstractAsyncContextManager[RailCase]]] = {
    "cctp-standard": evm_rails.cctp_standard,
    "cctp-fast": evm_rails.cctp_fast,
    "uniswap": evm_rails.uniswap,
    "wrapped-native-wrap": wrapped_native.wrap,
    "wrapped-native-unwrap": wrapped_native.unwrap,
    "hyperlane-to-solana": hyperlane.to_solana,
    "hyperlane-from-solana": hyperlane.from_solana,
    "solana-amm-sol-given": solana_amm.sol_given,
    "solana-amm-usdc-given": solana_amm.usdc_given,
}
