"""The network's plan: its chains, ports, prices and pool depths, as constants."""

from dataclasses import dataclass

DEFAULT_PORT_BASE = 18500
DEFAULT_HOME = ".localnet"

SOLANA_NAME = "solana"
SOLANA_HYPERLANE_DOMAIN = 1399811149

ETHER = 10**18
USDC_UNIT = 10**6
WBTC_UNIT = 10**8


@dataclass(frozen=True, slots=True)
class EvmPlan:
    """One EVM chain: its identity, its port above the port base, and its pools' depth in whole WETH and WBTC."""

    name: str
    chain_id: int
    port_offset: int
    cctp_domain: int
    weth_depth: int
    wbtc_depth: int

    @property
    def caip2(self) -> str:
        """The chain's CAIP-2 id."""
        return f"eip155:{self.chain_id}"


# Depth differs on purpose: the same swap costs little on alpha and a lot on gamma.
EVM_CHAINS = (
    EvmPlan("alpha", 31337001, 45, 0, weth_depth=5_000, wbtc_depth=250),
    EvmPlan("beta", 31337002, 46, 6, weth_depth=1_500, wbtc_depth=75),
    EvmPlan("gamma", 31337003, 47, 3, weth_depth=300, wbtc_depth=15),
)

SOLANA_PORT_OFFSET = 50
SOLANA_WS_PORT_OFFSET = 51
CLOCK_PORT_OFFSET = 59
AGENT_PORT_OFFSETS = {"iris": 60, "hyperlane": 61, "jupiter": 62, "hermes": 63}

WETH_USDC_FEE = 500
WBTC_USDC_FEE = 3000
SPACING = {WETH_USDC_FEE: 10, WBTC_USDC_FEE: 60}

# Whole dollars; every venue and oracle of the network starts at these.
PRICES = {"ETH/USD": 3_000, "BTC/USD": 60_000, "USDC/USD": 1, "SOL/USD": 150}
PRICE_DECIMALS = 8
# Pyth's public price feed ids, the same on every chain.
PYTH_FEEDS = {
    "ETH/USD": "0xff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
    "BTC/USD": "0xe62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
    "USDC/USD": "0xeaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a",
    "SOL/USD": "0xef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d",
}
WARP_COLLATERAL = 5_000_000 * USDC_UNIT
CCTP_BURN_LIMIT = 10_000_000 * USDC_UNIT


def chainlink_name(feed: str) -> str:
    """The address book's name of a feed's aggregator: "ETH/USD" is under "ChainlinkETHUSD"."""
    return "Chainlink" + feed.replace("/", "")


def evm_chain(name: str) -> EvmPlan:
    """The plan of the chain called `name`, or with that CAIP-2 id."""
    for plan in EVM_CHAINS:
        if name in (plan.name, plan.caip2):
            return plan
    raise ValueError(f"no EVM chain {name!r} in the local network; it has {', '.join(p.name for p in EVM_CHAINS)}")
