"""The scenario: an unbalanced treasury on the local network, with keys of its own that are worth nothing elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chains.keys import create_keypair, create_keystore, create_password
from deploy.localnet import Network, NetworkError
from deploy.localnet.rpc import request

# Whole tokens. Too much USDC on alpha, too much ether on beta, next to nothing on gamma and Solana.
EVM_HOLDINGS = {
    "alpha": {"native": "5", "USDC": "600000", "WETH": "20", "WBTC": "1"},
    "beta": {"native": "5", "USDC": "40000", "WETH": "100", "WBTC": "0.25"},
    "gamma": {"native": "5", "USDC": "5000", "WETH": "3", "WBTC": "0"},
}
DECIMALS = {"native": 18, "USDC": 6, "WETH": 18, "WBTC": 8}
FINALITY_SECONDS = 60
SOL_LAMPORTS = 220 * 10**9
SOLANA_UNITS = {"USDC": 4_000 * 10**6, "PYUSD": 2_500 * 10**6}


@dataclass(frozen=True, slots=True)
class Accounts:
    """The treasury's addresses: one key for all EVM chains, one for Solana."""

    evm: str
    solana: str


def create_keys(folder: Path) -> Accounts:
    """New random keys in `folder`, readable by their owner only."""
    folder.mkdir(parents=True, mode=0o700)
    create_password(folder / "evm.password")
    evm = create_keystore(folder / "evm.json", folder / "evm.password", light=True)
    return Accounts(evm, create_keypair(folder / "solana.json"))


def fund(network: Network, accounts: Accounts) -> None:
    """Give the accounts their unbalanced holdings, really minted, wrapped and transferred."""
    for chain, holdings in EVM_HOLDINGS.items():
        levers = network.evm(chain)
        for token, whole in holdings.items():
            units = _units(whole, DECIMALS[token])
            if units:
                levers.deal(token, accounts.evm, units)
    solana = solana_book(network)
    request(solana["rpc"][0], "requestAirdrop", accounts.solana, SOL_LAMPORTS)
    for asset, units in SOLANA_UNITS.items():
        request(solana["rpc"][0], "localnet_mintTo", solana["mints"][asset], accounts.solana, units)
    _until_final(network)


def _until_final(network: Network) -> None:
    """Wait until every chain has made the funding final: what is not final yet is not seen as an opening balance."""
    heads = {name: _height(book, "latest") for name, book in network.book["chains"].items()}
    until = time.monotonic() + FINALITY_SECONDS
    while not all(_height(network.book["chains"][name], "finalized") >= head for name, head in heads.items()):
        if time.monotonic() > until:
            raise NetworkError(f"the local chains did not make the funding final within {FINALITY_SECONDS} s: look at their logs")
        time.sleep(0.1)


def _height(book: dict[str, Any], tag: str) -> int:
    url = book["rpc"][0]
    if book["name"] == "solana":
        return int(request(url, "getSlot", {"commitment": "processed" if tag == "latest" else tag}))
    return int(request(url, "eth_getBlockByNumber", tag, False)["number"], 16)


def solana_book(network: Network) -> dict[str, Any]:
    """The Solana entry of the network's address book."""
    found: dict[str, Any] = next(book for book in network.book["chains"].values() if book["name"] == "solana")
    return found


def _units(whole: str, decimals: int) -> int:
    integer, _, fraction = whole.partition(".")
    return int(integer + fraction.ljust(decimals, "0"))
