"""EvmChain: an EVM network behind a pool of endpoints, read by quorum and written with keys it never sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chains.base import Call, Dead, Fate, Height, Landed, Pending, Receipt, Signer, Snapshot, Submission, Unknown
from chains.endpoint import Identity, Refused
from chains.errors import Misconfigured, Reverted, SendInDoubt, Unknowable
from chains.evm import normal
from chains.evm.fees import Caps
from chains.evm.gas import GasPrice
from chains.evm.heights import Heights
from chains.evm.history import History
from chains.ids import AccountId, ChainId, TokenId
from chains.keccak import selector
from chains.rpc import Answer, EndpointPool
from chains.settings import EvmSettings
from chains.tokens import Amount, Token

if TYPE_CHECKING:
    from chains.evm.preparing import Preparing

DECIMALS = selector("decimals()")
TRANSFER = selector("transfer(address,uint256)")
AT_ONCE = 200  # balances in one call: far below any node's gas limit
_KNOWN_HERE = ("already known", "already imported", "known transaction", "alreadyknown")  # the node holds this very transaction


def build(settings: EvmSettings, signers: Mapping[AccountId, Signer]) -> EvmChain:
    """Contacts nothing. `signers`: the keys of this chain's accounts; others are ignored."""
    identity = Identity("eth_chainId", settings.id.reference, lambda value: str(int(value, 16)))
    return EvmChain(settings, EndpointPool(settings, identity), signers)


class EvmChain:
    """`chains.base.Chain` for EVM. Each call is a transaction of its own. Close it with `aclose`."""

    atomic = False

    def __init__(self, settings: EvmSettings, pool: EndpointPool, signers: Mapping[AccountId, Signer]) -> None:
        self.pool = pool
        self._settings = settings
        self._signers = {account: signer for account, signer in signers.items() if account.chain == settings.id}
        self._heights = Heights(pool, settings.name, settings.finality)
        self._history = History(settings, pool, self._heights)
        self._gas = GasPrice(pool)
        self._caps = Caps.of_gwei(settings.max_fee_gwei, settings.max_priority_fee_gwei)

    @property
    def id(self) -> ChainId:
        return self._settings.id

    @property
    def native(self) -> Token:
        return self._settings.native_token

    @property
    def blind_spots(self) -> Sequence[str]:
        """What this chain's endpoints can't show, in words for people; empty when nothing is known to be missing."""
        return self._history.blind_spots

    async def aclose(self) -> None:
        await self.pool.aclose()

    async def head(self) -> Height:
        return await self._heights.finalized()

    async def snapshot(self, accounts: Sequence[AccountId], tokens: Sequence[Token]) -> Snapshot:
        height = await self._heights.finalized()
        asked = [(account, token.id) for account in accounts for token in tokens]
        chunks = [asked[start : start + AT_ONCE] for start in range(0, len(asked), AT_ONCE)]
        answers = await asyncio.gather(*(self._balances(chunk, height) for chunk in chunks))
        balances = [balance for chunk in answers for balance in chunk]
        return Snapshot(self.id, height, dict(zip(asked, balances, strict=True)))

    async def _balances(self, asked: Sequence[tuple[AccountId, TokenId]], height: Height) -> Sequence[int | Unknown]:
        """One entry for each asked pair. A token that burns a whole aggregate's gas is found by halving, and alone is Unknown."""
        from chains.evm import multicall  # late: by now the first questions are on their way

        where = self._settings.multicall
        calls = [multicall.balance_call(where, account.address, None if token.is_native else token.reference) for account, token in asked]
        try:
            returned = await self._call(where, multicall.encode_calls(calls), _pinned(height), "balances")
        except Reverted as fault:
            if len(asked) == 1:
                return [Unknown(str(fault))]
            half = len(asked) // 2
            return [*await self._balances(asked[:half], height), *await self._balances(asked[half:], height)]
        return multicall.decode_balances(returned, len(asked))

    async def decimals(self, token: TokenId) -> int:
        if token.is_native:
            return self.native.decimals
        call = Call(self.id, token.reference, DECIMALS, "decimals")
        try:
            answer = await self.read(call)
        except Reverted as refusal:
            raise Misconfigured(f"{token} is no token: {refusal}") from None
        if len(answer) != 32:
            raise Misconfigured(f"{token} does not exist: nothing there answers decimals(). Check the address and the chain")
        return int.from_bytes(answer)

    async def read(self, call: Call) -> bytes:
        newest = await self._heights.newest()
        return await self._call(call.target, call.data, hex(newest), call.purpose, value=hex(call.value))

    async def _call(self, target: str, data: bytes, block: Any, purpose: str, **more: str) -> bytes:
        """What the quorum says a call returns at `block`. Raises Reverted as the contract does, Unfunded when value is lacking.

        `more`: `value` or `from`, as JSON-RPC names and writes them.
        """
        transaction = {"to": target, "data": "0x" + data.hex()} | {key: text for key, text in more.items() if text != "0x0"}
        try:
            returned: str = await self.pool.decide("eth_call", [transaction, block], normal.data)
        except Refused as refusal:
            from chains.evm.reverts import sorted_refusal  # late: only a refusal has to be decoded

            raise sorted_refusal(refusal, f"{self._settings.name}: {purpose}") from None
        return bytes.fromhex(returned[2:])

    async def receipt(self, reference: str) -> Receipt | None:
        return await self._history.receipt(reference, await self._heights.finalized())

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        return await self._history.search(address, topics, since)

    async def fee(self, work: int) -> Amount:
        fees = self._caps.fees(*await self._gas.now())
        return Amount(self.native, work * fees.expected)

    async def sequence(self, sender: AccountId) -> int | None:
        """The highest next nonce that the quorum has reached, pending included: a lagging endpoint never lowers it."""
        answers = await self.pool.poll("eth_getTransactionCount", [sender.address, "pending"], lambda value: int(value, 16))
        return self._heights.reached(answers)

    async def stopped(self, account: AccountId, token: TokenId) -> str:
        """Tries, without sending it, to move one base unit to where it is: what an issuer stops is stopped for that too."""
        if token.is_native:
            return ""
        own = bytes.fromhex(account.address[2:]).rjust(32, b"\0")
        block = hex(await self._heights.newest())
        try:
            await self._call(token.reference, TRANSFER + own + (1).to_bytes(32), block, "a transfer", **{"from": account.address})
        except Reverted as refusal:
            return str(refusal)
        return ""

    async def prepare(self, sender: AccountId, calls: Sequence[Call], sequence: int | None) -> Submission:
        """Exactly one call. Besides the protocol's faults raises OutsideTerms when gas costs more than the configured cap."""
        signer = self._signers.get(sender)
        if signer is None:
            raise Misconfigured(f"no key for {sender}: name its keystore in the configuration")
        if len(calls) != 1:
            raise ValueError(f"{self.id}: {len(calls)} calls in one transaction; an EVM account with a key sends one at a time")
        nonce = await self.sequence(sender) if sequence is None else sequence
        return await self._preparing.prepare(signer, calls[0], nonce or 0)

    @cached_property
    def _preparing(self) -> Preparing:
        from chains.evm.preparing import Preparing  # late, as it says itself

        return Preparing(self._settings, self.pool, self._heights, self._gas)

    async def submit(self, submission: Submission) -> None:
        answers = await self.pool.broadcast("eth_sendRawTransaction", ["0x" + submission.raw.hex()])
        if not any(_accepted(answer, submission.reference) for answer in answers):
            said = "; ".join(str(answer) for answer in answers)
            raise SendInDoubt(f"{self._settings.name}: no endpoint says it took {submission.reference}: {said}")

    async def fate(self, submission: Submission) -> Fate:
        final = await self._heights.finalized()
        receipt = await self._history.receipt(submission.reference, final)
        if receipt is not None:
            return Landed(receipt)
        nonce = submission.sequence or 0
        count = int(await self.pool.decide("eth_getTransactionCount", [submission.sender.address, _pinned(final)], normal.plain), 16)
        if count <= nonce:
            return Pending(f"sent, not in a block yet (nonce {nonce} is free at finalized block {final.number})")
        taker = await self._history.taker(submission.sender.address, nonce, final)
        if taker is None or taker[0] == submission.reference:
            raise Unknowable(
                f"{self._settings.name}: nonce {nonce} is used at block {final.number}, but the endpoints do not show by which transaction"
            )
        return Dead(f"{taker[0]} took nonce {nonce} of {submission.sender.address} in finalized block {taker[1]}", foreign=True)


def _accepted(answer: Answer, reference: str) -> bool:
    if isinstance(answer.fault, Refused):
        return any(known in answer.fault.text.lower() for known in _KNOWN_HERE)
    return answer.fault is None and str(answer.value).lower() == reference


def _pinned(height: Height) -> Any:
    """State at a block by its hash, and only while that block is canonical (https://eips.ethereum.org/EIPS/eip-1898)."""
    return {"blockHash": height.hash, "requireCanonical": True}
