"""SolanaChain: a Solana cluster to look at and to act on, safe against lost answers, drops, forks and lying nodes.

Sending follows the five-step rule of `chains.solana.fate`. Balances are those of the wallet and of its
associated token accounts; tokens in other token accounts of the wallet are not seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from solders.pubkey import Pubkey

from chains.base import Call, Fate, Height, Landed, Pending, Receipt, Signer, Snapshot, Submission, Unknown
from chains.errors import Misconfigured, Unfunded
from chains.ids import AccountId, ChainId, TokenId
from chains.settings import SolanaSettings
from chains.solana import sending
from chains.solana.accounts import Mint, is_frozen, read_mint, token_account
from chains.solana.fate import Final, fate
from chains.solana.looking import FINALIZED, Looking
from chains.solana.nodes import Nodes
from chains.solana.snapshot import snapshot
from chains.solana.transaction import MAX_UNITS, Budget, compile_message, sign, unsigned
from chains.solana.transport import Node
from chains.together import Together
from chains.tokens import Amount, Token

_SALT = 1024  # compute units; what tells equal transactions apart, also across a restart
_REMEMBERED = 1024  # issued transactions; more than a treasury signs while one blockhash lives


class SolanaChain:
    """`ceiling`: most micro-lamports for a compute unit. `margin`: percent added to simulated compute units."""

    def __init__(
        self, nodes: Nodes, native: Token, signers: Mapping[AccountId, Signer], *, ceiling: int = 1_000_000, margin: int = 20
    ) -> None:
        self._nodes, self._native, self._signers = nodes, native, signers
        self._ceiling, self._margin = ceiling, margin
        self._looking = Looking(nodes, native.id)
        self._price = Together(lambda: sending.price(nodes, None, ceiling))
        self._issued: dict[tuple[str, tuple[Call, ...], int], None] = {}
        self._mints: dict[TokenId, Mint] = {native.id: Mint(Pubkey.default(), native.decimals, ())}

    @property
    def id(self) -> ChainId:
        return self._nodes.chain

    @property
    def native(self) -> Token:
        return self._native

    @property
    def atomic(self) -> bool:
        return True

    async def head(self) -> Height:
        return await self._looking.height(await self._looking.finalized())

    async def snapshot(self, accounts: Sequence[AccountId], tokens: Sequence[Token]) -> Snapshot:
        mints: dict[TokenId, Mint | Unknown] = {}
        for token in tokens:
            try:
                mints[token.id] = await self._mint(token.id)
            except Misconfigured as problem:
                mints[token.id] = Unknown(str(problem))
        return await snapshot(self._looking, mints, accounts)

    async def decimals(self, token: TokenId) -> int:
        found = await self._mint(token)
        if found.dangers:
            raise Misconfigured(f"{token} must not be held: its mint has {'; '.join(found.dangers)}")
        return found.decimals

    async def read(self, call: Call) -> bytes:
        found = await self._looking.account(call.target)
        return b"" if found is None else found.data

    async def receipt(self, reference: str) -> Receipt | None:
        return await self._looking.receipt(reference)

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        return await self._looking.search(address, since)

    async def fee(self, work: int) -> Amount:
        return Amount(self._native, Budget(work, await self._price.answer()).fee(1))

    async def sequence(self, sender: AccountId) -> int | None:
        return None

    async def stopped(self, account: AccountId, token: TokenId) -> str:
        if token.is_native:
            return ""
        place = str(token_account(account.address, token.reference, (await self._mint(token)).program))
        found = await self._looking.account(place)
        return f"{self.id}: the issuer froze the token account {place}" if found is not None and is_frozen(found) else ""

    async def prepare(self, sender: AccountId, calls: Sequence[Call], sequence: int | None) -> Submission:
        signer = self._signer(sender)
        recent = await sending.recent_blockhash(self._nodes)
        draft = compile_message(sender.address, calls, Budget(MAX_UNITS, 0), recent.blockhash)
        used = await sending.simulate(self._nodes, unsigned(draft), signed=False)
        units = self._distinct(sending.unit_limit(used, self._margin), calls, recent.blockhash)
        budget = Budget(units, await sending.price(self._nodes, draft, self._ceiling))
        message = compile_message(sender.address, calls, budget, recent.blockhash)
        unsigned(message)  # checks the size before a key is used
        await self._afford(sender, budget.fee(message.header.num_required_signatures))
        transaction = await sign(message, signer, [seed for call in calls for seed in call.cosigners])
        await sending.simulate(self._nodes, transaction, signed=True)
        return Submission(self.id, sender, str(transaction.signatures[0]), bytes(transaction), None, recent.valid_until)

    async def submit(self, submission: Submission) -> None:
        await sending.broadcast(self._nodes, submission)

    async def fate(self, submission: Submission) -> Fate:
        stand = await fate(self._nodes, submission)
        if not isinstance(stand, Final):
            return stand
        found = await self._looking.final_receipt(submission.reference)
        if found is None:
            return Pending(f"final in slot {stand.slot}; its effects cannot be read yet")
        return Landed(found)

    async def aclose(self) -> None:
        await self._nodes.aclose()

    async def _mint(self, token: TokenId) -> Mint:
        if token.chain != self.id:
            raise Misconfigured(f"{token} is not a token of {self.id}")
        if token not in self._mints:
            if token.is_native:
                raise Misconfigured(f"{token} is not the native coin of {self.id}, which is {self._native.id}")
            self._mints[token] = read_mint(token.reference, await self._looking.account(token.reference, FINALIZED))
        return self._mints[token]

    def _distinct(self, units: int, calls: Sequence[Call], blockhash: str) -> int:
        """A compute limit that no equal transaction of ours carries: equal bytes would be one transaction, and land once for two legs."""
        units = min(units + secrets.randbelow(_SALT), MAX_UNITS - _SALT)
        while (blockhash, tuple(calls), units) in self._issued:
            units += 1
        self._issued[blockhash, tuple(calls), units] = None
        if len(self._issued) > _REMEMBERED:
            self._issued.pop(next(iter(self._issued)))
        return units

    async def _afford(self, sender: AccountId, fee: int) -> None:
        held = await sending.balance(self._nodes, sender.address)
        if held < fee:
            raise Unfunded(f"{sender} holds {Amount(self._native, held)}; the network fee alone is {Amount(self._native, fee)}")

    def _signer(self, sender: AccountId) -> Signer:
        signer = self._signers.get(sender)
        if signer is None:
            raise Misconfigured(f"there is no key for {sender}; configured are: {', '.join(map(str, self._signers)) or 'none'}")
        return signer


def build(settings: SolanaSettings, signers: Mapping[AccountId, Signer]) -> SolanaChain:
    nodes = [Node(settings.id, endpoint, settings.timeout) for endpoint in settings.endpoints]
    return SolanaChain(
        Nodes(settings.id, nodes, settings.quorum),
        settings.native_token,
        signers,
        ceiling=settings.max_priority_fee,
        margin=settings.compute_margin,
    )
