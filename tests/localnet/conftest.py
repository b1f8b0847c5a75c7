"""Fixtures of the tests against real contracts: an account's hands on every EVM chain of the session's network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from eth_utils.crypto import keccak

from bridges.http import Http
from chains.base import Call, Landed, Receipt
from chains.evm.chain import EvmChain, build
from chains.ids import AccountId, ChainId, TokenId
from chains.settings import EndpointSettings, EvmSettings, NativeSettings
from chains.tokens import Token
from deploy.localnet import Network
from deploy.localnet.accounts import account
from deploy.localnet.layout import EVM_CHAINS

DESK_ACCOUNT = 15  # a development account that plays no role of the network
LOOKS = 120


class DevSigner:
    """Signs for one public development account."""

    def __init__(self, chain: ChainId) -> None:
        self._key = account(DESK_ACCOUNT, int(chain.reference))
        self.account = AccountId(chain, self._key.address)

    async def sign(self, unsigned: bytes) -> bytes:
        signed = self._key.unsafe_sign_hash(keccak(unsigned))
        return signed.r.to_bytes(32, "big") + signed.s.to_bytes(32, "big") + bytes([signed.v - 27])


class Desk:
    """One account on every EVM chain of the network, with money in it."""

    def __init__(self, network: Network, http: Http) -> None:
        self.network = network
        self.http = http
        self.books = {ChainId.parse(plan.caip2): network.book["chains"][plan.caip2] for plan in EVM_CHAINS}
        self.named = {book["name"]: chain for chain, book in self.books.items()}
        signers = {chain: DevSigner(chain) for chain in self.books}
        self.accounts = {chain: signer.account for chain, signer in signers.items()}
        self.chains = {chain: self._chain(chain, signers[chain]) for chain in self.books}

    def _chain(self, chain: ChainId, signer: DevSigner) -> EvmChain:
        book = self.books[chain]
        settings = EvmSettings(
            id=chain,
            name=book["name"],
            endpoints=tuple(EndpointSettings(url=url, trust_domain="local", per_second=1000) for url in book["rpc"]),
            native=NativeSettings(asset="ETH", decimals=18, slip44=60),
            wrapped_native=book["contracts"]["WETH"],
        )
        return build(settings, {signer.account: signer})

    def token(self, chain: str, asset: str) -> Token:
        id = self.named[chain]
        decimals = {"USDC": 6, "WETH": 18, "WBTC": 8}[asset]
        return Token(TokenId(id, "erc20", self.books[id]["contracts"][asset]), asset, decimals)

    def tokens(self) -> dict[TokenId, Token]:
        every = [self.token(name, asset) for name in self.named for asset in ("USDC", "WETH", "WBTC")]
        return {token.id: token for token in every}

    def balance(self, token: Token) -> int:
        return self.network.evm(str(token.chain)).balance(token.asset, self.accounts[token.chain].address)

    async def send(self, calls: Sequence[Call]) -> Receipt:
        """Each call as its own transaction, until final; the last receipt."""
        receipt = None
        for call in calls:
            receipt = await self._send(call)
        assert receipt is not None
        return receipt

    async def _send(self, call: Call) -> Receipt:
        chain = self.chains[call.chain]
        submission = await chain.prepare(self.accounts[call.chain], [call], None)
        await chain.submit(submission)
        for _ in range(LOOKS):
            fate = await chain.fate(submission)
            if isinstance(fate, Landed) and fate.receipt.final:
                assert fate.receipt.succeeded, fate.receipt.reason
                return fate.receipt
            self.network.evm(str(call.chain)).mine(1)
            await asyncio.sleep(0.05)
        raise AssertionError(f"{call.purpose} did not become final")

    async def control(self, service: str, **changes: object) -> None:
        await self.http.post(f"{self.network.book['services'][service]}/control", changes)

    async def aclose(self) -> None:
        for chain in self.chains.values():
            await chain.aclose()


@pytest.fixture
async def desk(network: Network) -> AsyncIterator[Desk]:
    async with Http() as http:
        desk = Desk(network, http)
        yield desk
        await desk.aclose()
