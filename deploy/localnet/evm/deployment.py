"""The whole deployment of the EVM half: every contract on every chain, wired together, and its address book."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from deploy.localnet.accounts import Role, address
from deploy.localnet.artifacts import Artifact
from deploy.localnet.evm.cctp import Cctp, deploy_cctp, wire_cctp
from deploy.localnet.evm.hyperlane import Hyperlane, deploy_hyperlane
from deploy.localnet.evm.node import Contract, EvmNode
from deploy.localnet.evm.oracles import deploy_oracles
from deploy.localnet.evm.tokens import deploy_multicall, deploy_tokens
from deploy.localnet.evm.uniswap import Pool, Uniswap, deploy_uniswap, open_pool
from deploy.localnet.layout import (
    ETHER,
    EVM_CHAINS,
    PRICES,
    USDC_UNIT,
    WBTC_UNIT,
    WBTC_USDC_FEE,
    WETH_USDC_FEE,
    EvmPlan,
)

NONCES_PER_CHAIN = 1_000
Book = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deployed:
    """All contracts of one chain."""

    plan: EvmPlan
    tokens: Mapping[str, Contract]
    multicall: Contract
    uniswap: Uniswap
    pools: Sequence[Pool]
    cctp: Cctp
    hyperlane: Hyperlane
    oracles: Mapping[str, Contract]


def deploy_everything(nodes: Sequence[EvmNode], compiled: Mapping[str, Artifact]) -> dict[str, Book]:
    """Deploy on fresh, instantly mining nodes (one a planned chain, in order); the address books by CAIP-2 id."""
    with ThreadPoolExecutor(len(nodes)) as pool:
        chains = list(pool.map(lambda pair: _deploy(pair[0], pair[1], compiled), zip(nodes, EVM_CHAINS, strict=True)))
    for here, there in permutations(chains, 2):
        wire_cctp(here.cctp, there.cctp)
    return {chain.plan.caip2: _book(chain) for chain in chains}


def _deploy(node: EvmNode, plan: EvmPlan, compiled: Mapping[str, Artifact]) -> Deployed:
    # Distinct nonces give every chain its own addresses: using one chain's address on another must fail.
    nonce = NONCES_PER_CHAIN * EVM_CHAINS.index(plan)
    node.rpc("anvil_setNonce", address(Role.DEPLOYER), hex(nonce))
    tokens = deploy_tokens(node, compiled)
    uniswap = deploy_uniswap(node, tokens["WETH"])
    return Deployed(
        plan=plan,
        tokens=tokens,
        multicall=deploy_multicall(node),
        uniswap=uniswap,
        pools=_open_pools(plan, tokens, uniswap),
        cctp=deploy_cctp(node, compiled, plan.cctp_domain, tokens["USDC"]),
        hyperlane=deploy_hyperlane(node, tokens["USDC"]),
        oracles=deploy_oracles(node, compiled),
    )


def _open_pools(plan: EvmPlan, tokens: Mapping[str, Contract], uniswap: Uniswap) -> list[Pool]:
    usdc, weth, wbtc = tokens["USDC"], tokens["WETH"], tokens["WBTC"]
    weth_amount, wbtc_amount = plan.weth_depth * ETHER, plan.wbtc_depth * WBTC_UNIT
    beside_weth = plan.weth_depth * PRICES["ETH/USD"] * USDC_UNIT
    beside_wbtc = plan.wbtc_depth * PRICES["BTC/USD"] * USDC_UNIT
    owner = address(Role.DEPLOYER)
    weth.send("deposit", value=weth_amount)
    wbtc.send("mint", owner, wbtc_amount)
    usdc.send("mint", owner, beside_weth + beside_wbtc)
    return [
        open_pool(uniswap, WETH_USDC_FEE, (weth, weth_amount), (usdc, beside_weth)),
        open_pool(uniswap, WBTC_USDC_FEE, (wbtc, wbtc_amount), (usdc, beside_wbtc)),
    ]


def _book(chain: Deployed) -> Book:
    contracts = {
        **chain.tokens,
        "Multicall3": chain.multicall,
        "UniswapV3Factory": chain.uniswap.factory,
        "NonfungiblePositionManager": chain.uniswap.positions,
        "SwapRouter02": chain.uniswap.router,
        "QuoterV2": chain.uniswap.quoter,
        "CctpTokenMessenger": chain.cctp.messenger,
        "CctpMessageTransmitter": chain.cctp.transmitter,
        "CctpTokenMinter": chain.cctp.minter,
        "HyperlaneMailbox": chain.hyperlane.mailbox,
        "HyperlaneMerkleTreeHook": chain.hyperlane.merkle_hook,
        "HyperlaneProtocolFee": chain.hyperlane.protocol_fee,
        "HyperlaneWarpUSDC": chain.hyperlane.warp,
        **chain.oracles,
    }
    addresses = {name: contract.address for name, contract in contracts.items()}
    return {
        "contracts": addresses | {"HyperlaneIsm": chain.hyperlane.ism},
        "pools": [{"token0": pool.token0, "token1": pool.token1, "fee": pool.fee, "address": pool.address} for pool in chain.pools],
    }
