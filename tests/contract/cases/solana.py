"""SolanaChain on the local network's Solana, as a case of the contract suite."""

from __future__ import annotations

import asyncio
import base64
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import spl.token.instructions as spl
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.models import TransferCheckedParams

from chains.base import AccountMeta, Call, Signer, Submission
from chains.ids import AccountId, ChainId, TokenId
from chains.keys import KeyReference, create_keypair, load_signer
from chains.settings import SolanaSettings
from chains.solana.chain import SolanaChain, build
from chains.solana.transaction import call_of
from chains.tokens import Token
from deploy.localnet import Network
from tests.contract.cases.base import ChainCase

NATIVE = {"asset": "SOL", "decimals": 9, "slip44": 501}
MEMO = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"


class Levers:
    """The node's own JSON-RPC, controls included."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def ask(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        async with aiohttp.ClientSession() as session, session.post(self.url, json=body) as answer:
            found = await answer.json()
        assert "error" not in found, found
        return found["result"]

    async def pass_slots(self, count: int) -> None:
        await self.ask("localnet_tick", count)
        await asyncio.sleep(0.01)

    async def fund(self, account: AccountId, mint: str, lamports: int, units: int) -> None:
        """Native coin and tokens, in the associated account that this opens."""
        if lamports:
            await self.ask("requestAirdrop", account.address, lamports)
        await self.ask("localnet_mintTo", mint, account.address, units)


def solana_of(network: Network) -> tuple[ChainId, Any]:
    """Id and address book of the network's Solana."""
    return next((ChainId.parse(name), entry) for name, entry in network.book["chains"].items() if name.startswith("solana:"))


def fresh_signer(chain: ChainId) -> Signer:
    """The signer of an account that nobody has used before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key.json")
        return load_signer(AccountId(chain, create_keypair(path)), KeyReference(keypair=path))


def settings_of(chain: str, url: str) -> SolanaSettings:
    endpoints = [{"url": url, "trust_domain": "local", "per_second": 10_000}]
    return SolanaSettings.model_validate({"id": chain, "name": "solana", "native": NATIVE, "endpoints": endpoints})


class SolanaChainCase(ChainCase):
    def __init__(self, network: Network) -> None:
        chain, entry = solana_of(network)
        self.levers = Levers(entry["rpc"][0])
        signer = fresh_signer(chain)
        self.owner, self.friend = signer.account, fresh_signer(chain).account
        self.chain: SolanaChain = build(settings_of(str(chain), self.levers.url), {self.owner: signer})
        self.token = Token(TokenId(chain, "token", entry["mints"]["USDC"]), "USDC", 6)
        self.missing = Token(TokenId(chain, "token", str(Keypair().pubkey())), "NONE", 6)
        self.others: list[SolanaChain] = []

    async def fund(self) -> None:
        mint = self.token.id.reference
        await self.levers.fund(self.owner, mint, 10**9, 10**9)
        await self.levers.fund(self.friend, mint, 0, 1)
        await self.levers.pass_slots(40)

    async def wait(self) -> None:
        await self.levers.pass_slots(8)

    def _account(self, account: AccountId) -> Pubkey:
        return spl.get_associated_token_address(Pubkey.from_string(account.address), Pubkey.from_string(self.token.id.reference))

    def pay(self, units: int) -> Call:
        wanted = TransferCheckedParams(
            program_id=TOKEN_PROGRAM_ID,
            source=self._account(self.owner),
            mint=Pubkey.from_string(self.token.id.reference),
            dest=self._account(self.friend),
            owner=Pubkey.from_string(self.owner.address),
            amount=units,
            decimals=self.token.decimals,
        )
        return call_of(self.chain.id, spl.transfer_checked(wanted), "pay the friend")

    def pay_native(self, units: int) -> Call:
        source, target = (Pubkey.from_string(account.address) for account in (self.owner, self.friend))
        made = transfer(TransferParams(from_pubkey=source, to_pubkey=target, lamports=units))
        return call_of(self.chain.id, made, "pay the friend")

    def footprint(self) -> tuple[str, Sequence[str | None]]:
        return str(self._account(self.friend)), ()

    async def lose_reply(self, submission: Submission) -> None:
        await self.levers.ask("localnet_fault", {"lose_response": 1})
        await self.chain.submit(submission)

    async def spoil(self) -> None:
        """Empty the owner's token account behind everybody's back."""
        address = str(self._account(self.owner))
        found = (await self.levers.ask("getAccountInfo", address, {"encoding": "base64"}))["value"]
        data = bytearray(base64.b64decode(found["data"][0]))
        data[64:72] = bytes(8)
        emptied = {"lamports": found["lamports"], "owner": found["owner"], "data": base64.b64encode(bytes(data)).decode()}
        await self.levers.ask("localnet_setAccount", address, emptied)

    async def land(self, submission: Submission) -> None:
        await self.levers.ask("localnet_freeze", True)
        await self.chain.submit(submission)
        await self.levers.pass_slots(2)

    async def kill(self, submission: Submission) -> None:
        await self.levers.pass_slots(150 + 40)

    def elsewhere(self) -> SolanaChain:
        self.others.append(build(settings_of("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", self.levers.url), {}))
        return self.others[-1]

    def cosigned(self, seed: bytes, *, named: bool = True) -> Call:
        accounts = (AccountMeta(str(Keypair.from_seed(seed).pubkey()), signer=True),)
        return Call(self.chain.id, MEMO, os.urandom(4).hex().encode(), "a memo", accounts=accounts, cosigners=(seed,) if named else ())


@asynccontextmanager
async def solana(network: Network) -> AsyncIterator[ChainCase]:
    case = SolanaChainCase(network)
    try:
        await case.fund()
        yield case
    finally:
        await case.levers.ask("localnet_freeze", False)
        await case.levers.ask("localnet_fault", {"lose_response": 0})
        for opened in (case.chain, *case.others):
            await opened.aclose()
