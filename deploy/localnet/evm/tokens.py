"""Tokens of one EVM chain: Circle's USDC behind its proxy, WETH9, a second volatile token, and Multicall3."""

from collections.abc import Mapping

from deploy.localnet.accounts import Role, address
from deploy.localnet.artifacts import Artifact, link, load
from deploy.localnet.evm.node import Contract, EvmNode

CANONICAL_MULTICALL3 = "0xcA11bde05977b3631167028862bE2a173976CA11"
UNLIMITED = 2**256 - 1


def deploy_usdc(node: EvmNode) -> Contract:
    """FiatTokenV2_2 behind FiatTokenProxy; the deployer is owner, master minter, minter, pauser and blacklister."""
    checker = node.deploy(load("SignatureChecker"))
    implementation = load("FiatTokenV2_2")
    code = node.deploy(link(implementation, {"SignatureChecker": checker.address}))
    proxy = node.deploy(load("FiatTokenProxy"), code.address)
    # The proxy's admin cannot call through it, so it must be another account than the owner.
    proxy.send("changeAdmin", address(Role.PROXY_ADMIN))
    usdc = node.at(implementation.abi, proxy.address)
    owner = address(Role.DEPLOYER)
    usdc.send("initialize", "USD Coin", "USDC", "USD", 6, owner, owner, owner, owner)
    usdc.send("initializeV2", "USD Coin")
    usdc.send("initializeV2_1", address(Role.USDC_LOST_AND_FOUND))
    usdc.send("initializeV2_2", [], "USDC")
    usdc.send("configureMinter", owner, UNLIMITED)
    return usdc


def deploy_tokens(node: EvmNode, compiled: Mapping[str, Artifact]) -> dict[str, Contract]:
    """All tokens, by symbol."""
    return {
        "USDC": deploy_usdc(node),
        "WETH": node.deploy(load("WETH9")),
        "WBTC": node.deploy(compiled["WrappedBitcoin"]),
    }


def deploy_multicall(node: EvmNode) -> Contract:
    """Multicall3 at the address it has on public chains: deployed anywhere, then its runtime code is set there."""
    artifact = load("Multicall3")
    anywhere = node.deploy(artifact)
    node.rpc("anvil_setCode", CANONICAL_MULTICALL3, node.rpc("eth_getCode", anywhere.address, "latest"))
    return node.at(artifact.abi, CANONICAL_MULTICALL3)
