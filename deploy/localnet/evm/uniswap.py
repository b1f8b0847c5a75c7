"""Uniswap v3 of one EVM chain: factory, position manager, router, quoter, and the pools' opening liquidity."""

from dataclasses import dataclass
from decimal import Decimal
from math import isqrt

from deploy.localnet.accounts import Role, address
from deploy.localnet.artifacts import link, load
from deploy.localnet.evm.node import Contract, EvmNode
from deploy.localnet.evm.tokens import UNLIMITED
from deploy.localnet.layout import SPACING

NO_V2_FACTORY = "0x" + "00" * 20
NATIVE_LABEL = b"ETH".ljust(32, b"\0")
FAR_FUTURE = 2**40
# Positions span half to double the opening price: ln(2) / ln(1.0001) ticks to either side.
TICKS_TO_DOUBLE = 6931


@dataclass(frozen=True, slots=True)
class Uniswap:
    """The deployed contracts a swap or a position needs."""

    factory: Contract
    positions: Contract
    router: Contract
    quoter: Contract


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool's identity: tokens in the pool's order, fee in millionths, address."""

    token0: str
    token1: str
    fee: int
    address: str


def deploy_uniswap(node: EvmNode, weth: Contract) -> Uniswap:
    """Deploy the four contracts and what they need; there is no v2 factory behind the router."""
    factory = node.deploy(load("UniswapV3Factory"))
    drawings = node.deploy(load("NFTDescriptor"))
    linked = link(load("NonfungibleTokenPositionDescriptor"), {"NFTDescriptor": drawings.address})
    descriptor = node.deploy(linked, weth.address, NATIVE_LABEL)
    positions = node.deploy(load("NonfungiblePositionManager"), factory.address, weth.address, descriptor.address)
    router = node.deploy(load("SwapRouter02"), NO_V2_FACTORY, factory.address, positions.address, weth.address)
    quoter = node.deploy(load("QuoterV2"), factory.address, weth.address)
    return Uniswap(factory, positions, router, quoter)


def open_pool(uniswap: Uniswap, fee: int, one: tuple[Contract, int], other: tuple[Contract, int]) -> Pool:
    """Open a pool and put liquidity in it from the deployer's balances.

    `one` and `other` are (token, base units); their ratio is the opening price, and both go in almost entirely.
    """
    (token0, amount0), (token1, amount1) = sorted((one, other), key=lambda side: int(side[0].address, 16))
    positions = uniswap.positions
    positions.send("createAndInitializePoolIfNecessary", token0.address, token1.address, fee, sqrt_price(amount0, amount1))
    for token in (token0, token1):
        token.send("approve", positions.address, UNLIMITED)
    low, high = tick_range(amount0, amount1, SPACING[fee])
    owner = address(Role.DEPLOYER)
    sides = (token0.address, token1.address)
    positions.send("mint", (*sides, fee, low, high, amount0, amount1, 0, 0, owner, FAR_FUTURE))
    place = uniswap.factory.call("getPool", token0.address, token1.address, fee)
    return Pool(token0.address, token1.address, fee, place)


def sqrt_price(amount0: int, amount1: int) -> int:
    """Uniswap v3's sqrtPriceX96 of the price amount1 / amount0, rounded down (v3 whitepaper, section 6.1)."""
    return isqrt((amount1 << 192) // amount0)


def tick_range(amount0: int, amount1: int, spacing: int) -> tuple[int, int]:
    """Lowest and highest tick of a position from half to double the price, on the fee tier's tick spacing."""
    tick = int((Decimal(amount1) / Decimal(amount0)).ln() / Decimal("1.0001").ln())
    return (tick - TICKS_TO_DOUBLE) // spacing * spacing, (tick + TICKS_TO_DOUBLE) // spacing * spacing
