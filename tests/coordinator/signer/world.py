"""A treasury with every rail on made-up addresses, its policy, and readers that answer like chains that stand still."""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from bridges.http import Http
from bridges.hyperlane.solana import address
from bridges.venues.settings import JUPITER_V6
from chains.base import Call, Height
from chains.ids import ChainId
from chains.keccak import checksummed, selector
from chains.tokens import Amount, Token
from coordinator.config.load import load
from coordinator.config.treasury import Treasury
from coordinator.signer.policy import Policy
from coordinator.signer.policy_file import parse
from coordinator.signer.writing import Terms, policy_of
from deploy.demo.configuration import treasury_yaml
from deploy.demo.scenario import Accounts
from policies.base import Price, Prices

NOW = 1_790_000_000
SECRET = bytes(range(1, 33))  # an EVM key that is worth nothing
PAIR = Keypair.from_seed(bytes(range(2, 34)))
USD = {"USDC": 1, "ETH": 3000, "BTC": 60000, "SOL": 150, "PYUSD": 1}
PRICES = Prices({asset: Price(asset, Fraction(usd), NOW, ("test",)) for asset, usd in USD.items()})
CHAINS = {"alpha": ("eip155:31337001", 0), "beta": ("eip155:31337002", 1), "gamma": ("eip155:31337003", 2)}
SOLANA = "solana:4LWP7q2eEhk54e4pQ72pnk2dDrTCkjzP"
CONTRACTS = (
    "USDC WETH WBTC SwapRouter02 QuoterV2 UniswapV3Factory CctpTokenMessenger CctpMessageTransmitter HyperlaneMailbox HyperlaneWarpUSDC"
)
SPL = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
WRAPPED = "So11111111111111111111111111111111111111112"


@dataclass(frozen=True)
class World:
    """`document`: the policy as it is written; `policy`: as the signer reads it."""

    treasury: Treasury
    document: dict[str, Any]
    policy: Policy


def evm_address(name: str) -> str:
    return checksummed("0x" + keccak(text=name)[12:].hex())


def solana_key(name: str) -> Pubkey:
    return Keypair.from_seed(keccak(text=name)).pubkey()


def book() -> dict[str, Any]:
    """As the local network's address book, without a network."""
    chains: dict[str, Any] = {
        id_: {
            "name": name,
            "rpc": ["http://127.0.0.1:1"],
            "cctp_domain": domain,
            "hyperlane_domain": 31337001 + domain,
            "contracts": {name_: evm_address(name_ + id_) for name_ in [*CONTRACTS.split(), *(f"Chainlink{asset}USD" for asset in USD)]},
        }
        for name, (id_, domain) in CHAINS.items()
    }
    keys = {name: str(solana_key(name)) for name in ("mailbox", "warp_usdc", "amm")}
    mints = {name: str(solana_key(name)) for name in ("USDC", "PYUSD")}
    chains[SOLANA] = {"name": "solana", "rpc": ["http://127.0.0.1:1"], "hyperlane_domain": 1399811149, "programs": keys, "mints": mints}
    services = {name: f"http://127.0.0.1:1/{name}" for name in ("iris", "jupiter", "hermes")}
    return {"chains": chains, "services": services, "pyth_feeds": {f"{asset}/USD": keccak(text=asset).hex() for asset in USD}}


def yaml_text(accounts: Accounts) -> str:
    """The demo's configuration, with the rails that the demo has no use for, and the signer in a process of its own."""
    text = treasury_yaml(SimpleNamespace(book=book()), accounts)
    wrapped = "\n".join(f"      {name}: {name}.WETH" for name in CHAINS)
    amm = str(solana_key("amm"))
    text = text.replace(f"programs: {{{amm}: pool}}", f"programs: {{{amm}: pool, {JUPITER_V6}: jupiter-v6}}")
    return text.replace("\nchains:", "\nsigner: {kind: process}\nchains:", 1) + f"  wrapped-native:\n    chains:\n{wrapped}\n"


def world(folder: Path, accounts: Accounts | None = None) -> World:
    """A treasury in `folder`; by default of two accounts whose key files do not exist."""
    file = folder / "treasury.yaml"
    file.write_text(yaml_text(accounts or Accounts(evm_address("our account"), str(PAIR.pubkey()))), encoding="utf-8")
    treasury = load(file)
    terms = Terms(folder / "signer-journal.jsonl", (os.geteuid(),), Fraction(1, 10), Fraction(1, 100))
    document = policy_of(treasury, PRICES, terms, NOW)
    return World(treasury, document, parse(document))


class Still:
    """A chain that stands still: it answers what the rails ask before a departure."""

    def __init__(self, treasury: Treasury, chain: ChainId, opened: bool = True) -> None:
        self.id, self.opened = chain, opened
        self._treasury = treasury
        self._warp = treasury.rails["hyperlane"].chains

    @property
    def native(self) -> Token:
        return self._treasury.native(self.id)

    async def head(self) -> Height:
        return Height(1, "0x01", NOW)

    async def fee(self, work: int) -> Amount:
        return Amount(self.native, work)

    async def read(self, call: Call) -> bytes:
        if self.id.namespace == "solana":
            return self._account(call.target)
        answer = _ANSWERS.get(call.data[:4])
        assert answer is not None, call.purpose
        return answer(self, call)

    def routers(self, call: Call) -> bytes:
        domain = int.from_bytes(call.data[4:36], "big")
        return next(_word(chain, here.warp) for chain, here in self._warp.items() if here.domain == domain)

    def _account(self, place: str) -> bytes:
        here = self._warp[self.id]
        if place == address(here.warp, "hyperlane_message_recipient", "handle", "account_metas"):
            return self._route()
        if place == self._escrow():
            return bytes(64) + (10**18).to_bytes(8, "little") + bytes(93)
        return b"\1" if self.opened else b""

    def _escrow(self) -> str:
        return address(self._warp[self.id].warp, "hyperlane_token", "escrow")

    def _route(self) -> bytes:
        here = self._warp[self.id]
        some = b"\1" + bytes(32)
        others = {other.domain: _word(chain, other.warp) for chain, other in self._warp.items() if chain != self.id}
        routers = struct.pack("<I", len(others)) + b"".join(struct.pack("<I", domain) + word for domain, word in others.items())
        keys = b"".join(bytes(Pubkey.from_string(key)) for key in (str(SPL), here.token.reference, self._escrow()))
        mailbox = bytes(Pubkey.from_string(here.mailbox))
        return b"\1\xff" + mailbox + bytes(32) + b"\xff\6\6" + some + some + b"\0" + bytes(4) + routers + keys + b"\xff\xff"


_ANSWERS: Mapping[bytes, Any] = {
    selector("localMinter()"): lambda chain, call: encode(["address"], [evm_address("minter")]),
    selector("burnLimitsPerMessage(address)"): lambda chain, call: encode(["uint256"], [10**13]),
    selector("balanceOf(address)"): lambda chain, call: encode(["uint256"], [10**15]),
    selector("routers(uint32)"): Still.routers,
    selector("quoteTransferRemote(uint32,bytes32,uint256)"): lambda chain, call: encode(
        ["(address,uint256)[]"], [[("0x" + "00" * 20, 10**15), (evm_address("token"), int.from_bytes(call.data[68:100], "big"))]]
    ),
    selector("quoteExactInputSingle((address,address,uint256,uint24,uint160))"): lambda chain, call: encode(
        ["uint256", "uint160", "uint32", "uint256"], [2**120, 1, 1, 90_000]
    ),
}


class Api(Http):
    """Circle's fees, and a Jupiter that swaps at the treasury's own prices through the program `layout` names."""

    def __init__(self, layout: str = "pool") -> None:
        super().__init__()
        self._layout = layout

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        if "iris" in url:
            return [{"finalityThreshold": 1000, "minimumFee": 1}, {"finalityThreshold": 2000, "minimumFee": 0}]
        assert params is not None
        native = params["inputMint"] == WRAPPED
        units = int(params["amount"])
        out = units * 150 // 1000 if native else units * 1000 // 150
        least = out * (10_000 - int(params["slippageBps"])) // 10_000
        terms = {"inAmount": str(units), "outAmount": str(out), "otherAmountThreshold": str(least), "slippageBps": params["slippageBps"]}
        return {"inputMint": params["inputMint"], "outputMint": params["outputMint"], "swapMode": "ExactIn", **terms}

    async def post(self, url: str, body: Any) -> Any:
        quote, user = body["quoteResponse"], body["userPublicKey"]
        source, target = (str(token_account(user, quote[side])) for side in ("inputMint", "outputMint"))
        make = _pool if self._layout == "pool" else _jupiter
        return {"swapInstruction": make(user, source, target, quote)}


def token_account(owner: str, mint: str) -> Pubkey:
    seeds = [bytes(Pubkey.from_string(owner)), bytes(SPL), bytes(Pubkey.from_string(mint))]
    return Pubkey.find_program_address(seeds, Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"))[0]


def _pool(user: str, source: str, target: str, quote: dict[str, Any]) -> dict[str, Any]:
    data = struct.pack("<B7xQQ", 1, int(quote["inAmount"]), int(quote["otherAmountThreshold"]))
    metas = [("pool", 0), ("authority", 0), (user, 0), (source, 1), (target, 1), ("vault in", 1), ("vault out", 1), (str(SPL), 0)]
    return _instruction(str(solana_key("amm")), metas, user, data)


def _jupiter(user: str, source: str, target: str, quote: dict[str, Any]) -> dict[str, Any]:
    tail = struct.pack("<QQHB", int(quote["inAmount"]), int(quote["outAmount"]), int(quote["slippageBps"]), 0)
    data = bytes([229, 23, 203, 151, 122, 227, 173, 42]) + struct.pack("<I", 1) + bytes([7, 100, 0, 1]) + tail
    metas = [(str(SPL), 0), (user, 0), (source, 1), (target, 1), (JUPITER_V6, 0), (quote["outputMint"], 0), (JUPITER_V6, 0)]
    route = [("event authority", 0), (JUPITER_V6, 0), ("pool", 1), ("vault in", 1), ("vault out", 1)]
    return _instruction(JUPITER_V6, [*metas, *route], user, data)


def _instruction(program: str, metas: list[tuple[str, int]], user: str, data: bytes) -> dict[str, Any]:
    accounts = [{"pubkey": _named(name), "isSigner": name == user, "isWritable": bool(writable)} for name, writable in metas]
    return {"programId": program, "accounts": accounts, "data": base64.b64encode(data).decode()}


@cache
def _named(name: str) -> str:
    return str(solana_key(name)) if " " in name or name in {"pool", "authority"} else name


def _word(chain: ChainId, warp: str) -> bytes:
    return bytes.fromhex(warp[2:]).rjust(32, b"\0") if chain.namespace == "eip155" else bytes(Pubkey.from_string(warp))
