"""EvmChain on the local network's first EVM chain, as a case of the contract suite."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from eth_account import Account
from eth_utils.address import to_checksum_address

from bridges.abi import calldata, topic, word
from chains.base import Call, Signer, Submission
from chains.evm.chain import EvmChain, build
from chains.ids import AccountId, ChainId, TokenId
from chains.keys import KeyReference, create_keystore, create_password, load_signer
from chains.settings import EvmSettings
from chains.tokens import Token
from deploy.localnet import Network
from tests.contract.cases.base import ChainCase
from tests.contract.cases.proxy import Proxy, proxy

NATIVE = {"asset": "ETH", "decimals": 18, "slip44": 60}


def fresh_signer(chain: ChainId) -> Signer:
    """The signer of an account that nobody has used before."""
    secret = os.urandom(32)
    account = AccountId(chain, Account.from_key(secret).address)
    with tempfile.TemporaryDirectory() as folder:
        keystore, password = Path(folder, "key.json"), Path(folder, "password")
        create_password(password)
        create_keystore(keystore, password, secret, light=True)
        return load_signer(account, KeyReference(keystore=keystore, password_file=password))


def settings_of(chain: str, url: str) -> EvmSettings:
    endpoints = [{"url": url, "trust_domain": "local", "per_second": 10_000}]
    return EvmSettings.model_validate({"id": chain, "name": "alpha", "native": NATIVE, "endpoints": endpoints})


class EvmChainCase(ChainCase):
    def __init__(self, network: Network, chain: ChainId, through: Proxy) -> None:
        self.levers = network.evm(str(chain))
        self.proxy = through
        signer = fresh_signer(chain)
        self.owner, self.friend = signer.account, fresh_signer(chain).account
        self.chain: EvmChain = build(settings_of(str(chain), through.url), {self.owner: signer})
        self.token = Token(TokenId(chain, "erc20", self.levers.book["contracts"]["USDC"]), "USDC", 6)
        self.missing = Token(TokenId(chain, "erc20", to_checksum_address(os.urandom(20))), "NONE", 6)
        self.levers.set_native_balance(self.owner.address, 10**18)
        self.levers.deal("USDC", self.owner.address, 10**9)
        self.levers.mine(4)  # so that all of it is final
        self.others: list[EvmChain] = []

    async def wait(self) -> None:
        self.levers.mine()
        await asyncio.sleep(0.02)

    def pay(self, units: int) -> Call:
        data = calldata("transfer", ["address", "uint256"], [self.friend.address, units])
        return Call(self.chain.id, self.token.id.reference, data, "pay the friend")

    def pay_native(self, units: int) -> Call:
        return Call(self.chain.id, self.friend.address, b"", "pay the friend", value=units)

    def footprint(self) -> tuple[str, Sequence[str | None]]:
        return self.token.id.reference, (topic("Transfer(address,address,uint256)"), None, "0x" + word(self.friend.address).hex())

    async def lose_reply(self, submission: Submission) -> None:
        self.proxy.lose = "eth_sendRawTransaction"
        await self.chain.submit(submission)

    async def spoil(self) -> None:
        self.levers.blacklist(self.owner.address)

    async def land(self, submission: Submission) -> None:
        self.levers.stop_mining()
        await self.chain.submit(submission)
        self.levers.mine()

    async def kill(self, submission: Submission) -> None:
        other = await self.chain.prepare(self.owner, [self.pay_native(1)], submission.sequence)
        await self.chain.submit(other)
        await self.settle(self.chain, other)

    def elsewhere(self) -> EvmChain:
        self.others.append(build(settings_of("eip155:1", self.proxy.url), {}))
        return self.others[-1]


@asynccontextmanager
async def evm(network: Network) -> AsyncIterator[ChainCase]:
    chain = next(ChainId.parse(name) for name, entry in network.book["chains"].items() if entry["name"] == "alpha")
    async with proxy(network.book["chains"][str(chain)]["rpc"][0]) as through:
        case = EvmChainCase(network, chain, through)
        try:
            yield case
        finally:
            case.levers.start_mining()
            for opened in (case.chain, *case.others):
                await opened.aclose()
