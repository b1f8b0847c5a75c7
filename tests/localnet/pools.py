"""The local network's pools, put back to the prices they opened at, so that one test's swaps do not spoil the next one's plan."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from deploy.demo.scenario import solana_book
from deploy.localnet import Network
from deploy.localnet.accounts import Role, address
from deploy.localnet.layout import EVM_CHAINS
from deploy.localnet.levers import EvmLevers
from deploy.localnet.rpc import request

SLOT0 = "0x3850c7bd"  # slot0() of a Uniswap v3 pool; its first word is sqrtPriceX96
PLENTY = {"USDC": 1_000_000 * 10**6, "WETH": 300 * 10**18, "WBTC": 20 * 10**8}


class Pools:
    """Remembers every pool as it is now."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._prices = {
            plan.name: [(pool, _price(network.evm(plan.name), pool)) for pool in _pools(network, plan.caip2)] for plan in EVM_CHAINS
        }
        self._solana = solana_book(network)
        vaults = [pool[side] for pool in self._solana["pools"] for side in ("base_vault", "quote_vault")]
        self._vaults = {
            vault: request(self._solana["rpc"][0], "getAccountInfo", vault, {"encoding": "base64"})["value"] for vault in vaults
        }

    def restore(self) -> None:
        """On EVM chains an arbitrageur trades each pool back to its price; Solana's vaults are set to what they held."""
        with ThreadPoolExecutor(len(EVM_CHAINS)) as workers:
            list(workers.map(self._restore_evm, self._prices))
        for vault, held in self._vaults.items():
            account = {"lamports": held["lamports"], "data": held["data"][0], "owner": held["owner"]}
            request(self._solana["rpc"][0], "localnet_setAccount", vault, account)

    def _restore_evm(self, chain: str) -> None:
        levers = self._network.evm(chain)
        for pool, price in self._prices[chain]:
            if (now := _price(levers, pool)) != price:
                _trade_to(levers, pool, price, falling=now > price)


def _pools(network: Network, chain: str) -> list[dict[str, Any]]:
    pools: list[dict[str, Any]] = network.book["chains"][chain]["pools"]
    return pools


def _price(levers: EvmLevers, pool: Mapping[str, Any]) -> int:
    return int(levers.node.rpc("eth_call", {"to": pool["address"], "data": SLOT0}, "latest")[2:66], 16)


def _trade_to(levers: EvmLevers, pool: Mapping[str, Any], price: int, *, falling: bool) -> None:
    """token0 is sold when the price (token1 for one token0) must fall; the swap stops at the limit."""
    names = {levers.book["contracts"][name]: name for name in PLENTY}
    gives, takes = (pool["token0"], pool["token1"]) if falling else (pool["token1"], pool["token0"])
    trader, router, units = address(Role.DEPLOYER), levers.contract("SwapRouter02"), PLENTY[names[gives]]
    if levers.balance(names[gives], trader) < units:
        levers.deal(names[gives], trader, units)
    levers.contract(names[gives]).send("approve", router.address, units)
    router.send("exactInputSingle", (gives, takes, pool["fee"], trader, units, 0, price))
