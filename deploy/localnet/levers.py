"""Levers on one EVM chain of the local network, for tests and the demo's scenario: money, prices, and trouble.

Everything is done by JSON-RPC from the public development accounts. Amounts are integer base units.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from eth_utils.address import to_checksum_address
from web3.types import Wei

from deploy.localnet.accounts import Role, address
from deploy.localnet.artifacts import Artifact, load
from deploy.localnet.evm.hyperlane import wire_hyperlane
from deploy.localnet.evm.node import Contract, EvmNode
from deploy.localnet.evm.oracles import price_units, publish_pyth
from deploy.localnet.layout import PRICES, chainlink_name
from deploy.localnet.rpc import set_controls
from deploy.localnet.solc import compile_contracts

NATIVE = "native"


class EvmLevers:
    """The levers of the chain that `book` (one chain's entry of network.json) describes.

    `clock` is the block clock's URL; only stopping and starting the chain's blocks needs it.
    """

    def __init__(self, chain_id: int, book: Mapping[str, Any], clock: str | None = None) -> None:
        self.book = book
        self._clock = clock
        self.node = EvmNode(book["rpc"][0], chain_id)
        self._compiled: Mapping[str, Artifact] = {}

    def contract(self, name: str) -> Contract:
        """A contract of the address book by its name there ("USDC", "SwapRouter02", "ChainlinkETHUSD", …)."""
        return self.node.at(self._abi(name), self.book["contracts"][name])

    # ---- money ----

    def balance(self, token: str, account: str) -> int:
        """Base units held; `token` is "USDC", "WETH", "WBTC" or "native"."""
        if token == NATIVE:
            return int(self.node.rpc("eth_getBalance", account, "latest"), 16)
        return int(self.contract(token).call("balanceOf", account))

    def deal(self, token: str, to: str, units: int) -> None:
        """Give new units of a token: really minted or wrapped, so that the token's supply stays true."""
        match token:
            case "native":
                place = to_checksum_address(to)
                self.node.transact({"to": place, "value": Wei(units)}, Role.DEPLOYER, "a native transfer")
            case "WETH":
                weth = self.contract("WETH")
                weth.send("deposit", value=units)
                weth.send("transfer", to, units)
            case "USDC" | "WBTC":
                self.contract(token).send("mint", to, units)
            case _:
                raise ValueError(f"no token {token!r} to deal; there are native, USDC, WETH, WBTC")

    def mint_usdc(self, to: str, units: int) -> None:
        """Mint USDC as Circle's minter would."""
        self.deal("USDC", to, units)

    # ---- prices ----

    def price(self, feed: str) -> Decimal:
        """The Chainlink-style answer of a feed ("ETH/USD"), in dollars."""
        units: int = self.contract(chainlink_name(feed)).call("latestAnswer")
        return Decimal(units).scaleb(-8)

    def set_price(self, feed: str, dollars: Decimal | int | str) -> None:
        """Publish a price now, on the Chainlink-style aggregator and on Pyth. Pools do not move."""
        self._publish({feed: price_units(Decimal(dollars))})

    def published(self) -> dict[str, int]:
        """When each feed was published last on the Chainlink-style aggregator, in unix seconds."""
        return {feed: self.contract(chainlink_name(feed)).call("latestTimestamp") for feed in PRICES}

    def refresh_prices(self, feeds: Iterable[str] = tuple(PRICES)) -> None:
        """Publish present prices again, so that none is stale."""
        self._publish({feed: price_units(self.price(feed)) for feed in feeds})

    def _publish(self, prices: Mapping[str, int]) -> None:
        # All sent before any is waited for, so that one block carries them.
        sent = [self.contract(chainlink_name(feed)).post("updateAnswer", units) for feed, units in prices.items()]
        now = self.node.web3.eth.get_block("latest")["timestamp"]
        sent.append(publish_pyth(self.contract("Pyth"), prices, now))
        for reference in sent:
            self.node.wait(reference, "price update")

    def trade(self, gives: str, takes: str, units: int, fee: int) -> int:
        """Swap `units` of one token for another in the pool of that fee, as a stranger would; what came out.

        It moves the pool's price away from the oracles'.
        """
        giver, router = self.contract(gives), self.contract("SwapRouter02")
        trader = address(Role.DEPLOYER)
        self.deal(gives, trader, units)
        giver.send("approve", router.address, units)
        before = self.balance(takes, trader)
        places = (self.book["contracts"][gives], self.book["contracts"][takes])
        router.send("exactInputSingle", (*places, fee, trader, units, 0, 0))
        return self.balance(takes, trader) - before

    # ---- trouble ----

    def pause_usdc(self, on: bool = True) -> None:
        """Pause every USDC transfer, or let them go on."""
        self.contract("USDC").send("pause" if on else "unpause")

    def blacklist(self, account: str, on: bool = True) -> None:
        """Freeze an account's USDC as Circle's blacklister would, or free it."""
        self.contract("USDC").send("blacklist" if on else "unBlacklist", account)

    def pause_cctp(self, on: bool = True) -> None:
        """Pause the CCTP stand-in's message transmitter (sending and receiving), or let it go on."""
        self.contract("CctpMessageTransmitter").send("setPaused", on)

    def set_native_balance(self, account: str, wei: int) -> None:
        """Set an account's native balance outright (anvil only)."""
        self.node.rpc("anvil_setBalance", account, hex(wei))

    def set_base_fee(self, wei: int) -> None:
        """Set the next block's base fee."""
        self.node.rpc("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks now."""
        self.node.rpc("anvil_mine", hex(blocks))

    def stop_mining(self) -> None:
        """Stop the chain's blocks: transactions stay pending until `start_mining` or `mine`.

        Until then levers that send transactions would wait in vain.
        """
        self._switch(on=False)

    def start_mining(self) -> None:
        """Let the block clock go on for this chain."""
        self._switch(on=True)

    def reorg(self, depth: int) -> None:
        """Replace the last `depth` blocks by empty ones; their transactions are dropped for good."""
        self.node.rpc("anvil_reorg", depth, [])

    # ---- wiring ----

    def enrol_router(self, domain: int, router: bytes) -> bool:
        """Enrol another Hyperlane domain's warp route (32 bytes) with this chain's; True when that was new."""
        return wire_hyperlane(self.contract("HyperlaneWarpUSDC"), domain, router)

    def _switch(self, *, on: bool) -> None:
        if self._clock is None:
            raise ValueError("these levers were made without the block clock's address; take them from Network.evm")
        set_controls(self._clock, {self.book["name"]: on})

    def _abi(self, name: str) -> tuple[dict[str, Any], ...]:
        if name in _PUBLISHED:
            return load(_PUBLISHED[name]).abi
        self._compiled = self._compiled or compile_contracts()
        return self._compiled[_COMPILED.get(name, "MockV3Aggregator")].abi


_PUBLISHED = {
    "USDC": "FiatTokenV2_2",
    "WETH": "WETH9",
    "Multicall3": "Multicall3",
    "UniswapV3Factory": "UniswapV3Factory",
    "NonfungiblePositionManager": "NonfungiblePositionManager",
    "SwapRouter02": "SwapRouter02",
    "QuoterV2": "QuoterV2",
    "HyperlaneMailbox": "Mailbox",
    "HyperlaneMerkleTreeHook": "MerkleTreeHook",
    "HyperlaneProtocolFee": "ProtocolFee",
    "HyperlaneWarpUSDC": "HypERC20Collateral",
    "Pyth": "MockPyth",
}
_COMPILED = {
    "WBTC": "WrappedBitcoin",
    "CctpTokenMessenger": "TokenMessengerV2StandIn",
    "CctpMessageTransmitter": "MessageTransmitterV2StandIn",
    "CctpTokenMinter": "TokenMinterV2StandIn",
}
