"""A local Solana node whose slots move only by hand, and a treasury account on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, initialize_mint2, mint_to
from spl.token.models import InitializeMint2Params, MintToParams

from chains.base import Call
from chains.ids import AccountId, ChainId, TokenId
from chains.settings import EndpointSettings, NativeSettings, SolanaSettings
from chains.solana.chain import SolanaChain, build
from chains.solana.transaction import call_of
from chains.tokens import Token
from deploy.localnet.solana.node import Chain as Node
from deploy.localnet.solana.node import serve
from deploy.localnet.solana.node.chain import FINALIZE_SLOTS, GENESIS
from tests.ports import free_port

ID = ChainId("solana", str(GENESIS)[:32])
SOL = Token(TokenId(ID, "slip44", "501"), "SOL", 9)
MINT_BYTES = 82


class KeypairSigner:
    """Signs with a key in memory, as a keypair file's signer does."""

    def __init__(self, keypair: Keypair) -> None:
        self._keypair = keypair

    @property
    def account(self) -> AccountId:
        return AccountId(ID, str(self._keypair.pubkey()))

    async def sign(self, unsigned: bytes) -> bytes:
        return bytes(self._keypair.sign_message(unsigned))


@dataclass
class World:
    node: Node
    chain: SolanaChain
    keypair: Keypair
    urls: tuple[str, ...]

    @property
    def account(self) -> AccountId:
        return AccountId(ID, str(self.keypair.pubkey()))

    def pay(self, lamports: int, to: Pubkey | None = None) -> Call:
        made = transfer(TransferParams(from_pubkey=self.keypair.pubkey(), to_pubkey=to or OTHER.pubkey(), lamports=lamports))
        return call_of(ID, made, "pay")

    def lamports(self, key: Pubkey | None = None) -> int:
        return self.node.bank.account(key or OTHER.pubkey()).lamports if self.node.bank.account(key or OTHER.pubkey()) else 0

    def finalize(self) -> None:
        self.node.tick(FINALIZE_SLOTS + 1)

    def mint(self, units: int, program: Pubkey = TOKEN_PROGRAM_ID) -> Token:
        """A new six-decimal token, `units` of it in the treasury's associated account; final."""
        mint, payer = Keypair(), self.keypair
        rent = CreateAccountParams(from_pubkey=payer.pubkey(), to_pubkey=mint.pubkey(), lamports=2_000_000, space=MINT_BYTES, owner=program)
        ata = create_idempotent_associated_token_account(payer.pubkey(), payer.pubkey(), mint.pubkey(), program)
        begin = InitializeMint2Params(decimals=6, mint=mint.pubkey(), mint_authority=payer.pubkey(), program_id=program)
        give = MintToParams(
            amount=units, dest=ata.accounts[1].pubkey, mint=mint.pubkey(), mint_authority=payer.pubkey(), program_id=program
        )
        self.node.execute([create_account(rent), initialize_mint2(begin), ata, mint_to(give)], [payer, mint])
        self.finalize()
        return Token(TokenId(ID, "token", str(mint.pubkey())), "USDC", 6)


OTHER = Keypair.from_seed(bytes(Hash.hash(b"somebody else")))


def settings(*urls: str, chain: ChainId = ID, quorum: int = 1) -> SolanaSettings:
    endpoints = tuple(EndpointSettings(url=url, trust_domain=f"operator-{index}", per_second=10_000) for index, url in enumerate(urls))
    return SolanaSettings(
        id=chain, name="solana", endpoints=endpoints, quorum=quorum, native=NativeSettings(asset="SOL", decimals=9, slip44=501)
    )


@pytest.fixture
def port() -> Callable[[], int]:
    return free_port


@pytest.fixture
async def world(port: Callable[[], int]) -> AsyncIterator[World]:
    node, keypair = Node(), Keypair()
    node.airdrop(keypair.pubkey(), 10**10)
    node.tick(FINALIZE_SLOTS + 1)
    async with await serve(node, port()) as server:
        signer = KeypairSigner(keypair)
        chain = build(settings(server.url), {signer.account: signer})
        yield World(node, chain, keypair, (server.url,))
        await chain.aclose()
