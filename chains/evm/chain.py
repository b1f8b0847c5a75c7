"""EvmChain: an EVM network behind a pool of endpoints, read by quorum and written with keys it never sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Any

from eth_account import Account
from eth_utils.abi import function_signature_to_4byte_selector
from hexbytes import HexBytes
from web3.types import TxParams

from chains.base import Call, Dead, Fate, Height, Landed, Pending, Receipt, Signer, Snapshot, Submission, Unknown
from chains.endpoint import Identity, Refused
from chains.errors import Misconfigured, Reverted, SendInDoubt, Unfunded, Unknowable
from chains.evm import multicall
from chains.evm.fees import Caps
from chains.evm.heights import Heights
from chains.evm.history import History
from chains.evm.provider import web3_over
from chains.evm.reverts import sorted_refusal
from chains.evm.transactions import Unsigned, hash_of
from chains.ids import AccountId, ChainId, TokenId
from chains.rpc import Answer, EndpointPool
from chains.settings import EvmSettings
from chains.tokens import Amount, Token

DECIMALS = function_signature_to_4byte_selector("decimals()")
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
        self._deciding = web3_over(pool.decide)
        self._observing = web3_over(pool.observe)
        self._history = History(settings, pool, self._heights)
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
        chunks = [asked[start : start + multicall.AT_ONCE] for start in range(0, len(asked), multicall.AT_ONCE)]
        answers = await asyncio.gather(*(self._balances(chunk, height) for chunk in chunks))
        balances = [balance for chunk in answers for balance in chunk]
        return Snapshot(self.id, height, dict(zip(asked, balances, strict=True)))

    async def _balances(self, asked: Sequence[tuple[AccountId, TokenId]], height: Height) -> Sequence[int | Unknown]:
        """One entry for each asked pair. A token that burns a whole aggregate's gas is found by halving, and alone is Unknown."""
        where = self._settings.multicall
        calls = [multicall.balance_call(where, account.address, None if token.is_native else token.reference) for account, token in asked]
        transaction: TxParams = {"to": _checked(where), "data": HexBytes(multicall.encode_calls(calls))}
        try:
            returned = await self._deciding.eth.call(transaction, HexBytes(height.hash))
        except Refused as refusal:
            fault = sorted_refusal(refusal, f"{self._settings.name}: balances")
            if not isinstance(fault, Reverted):
                raise
            if len(asked) == 1:
                return [Unknown(str(fault))]
            half = len(asked) // 2
            return [*await self._balances(asked[:half], height), *await self._balances(asked[half:], height)]
        return multicall.decode_balances(bytes(returned), len(asked))

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
        transaction: TxParams = {"to": _checked(call.target), "data": HexBytes(call.data), "value": _wei(call.value)}
        try:
            return bytes(await self._deciding.eth.call(transaction, newest))
        except Refused as refusal:
            raise sorted_refusal(refusal, f"{self._settings.name}: {call.purpose}") from None

    async def receipt(self, reference: str) -> Receipt | None:
        return await self._history.receipt(reference, await self._heights.finalized())

    async def search(self, address: str, topics: Sequence[str | None], since: int) -> Sequence[Receipt]:
        return await self._history.search(address, topics, since)

    async def fee(self, work: int) -> Amount:
        fees = self._caps.fees(*await self._gas_price())
        return Amount(self.native, work * fees.expected)

    async def _gas_price(self) -> tuple[int, int]:
        """(base fee of the newest block, suggested priority fee), wei a unit of gas."""
        block, priority = await asyncio.gather(self._observing.eth.get_block("latest"), self._suggested_priority())
        return int(block.get("baseFeePerGas", 0)), priority

    async def _suggested_priority(self) -> int:
        try:
            return int(await self._observing.eth.max_priority_fee)
        except Refused:  # not every node offers it: take what half the gas of the last blocks paid, at the median block
            history = await self._observing.eth.fee_history(10, "latest", [50])
            return int(median_low([reward[0] for reward in history["reward"]]))

    async def sequence(self, sender: AccountId) -> int | None:
        """The highest next nonce that the quorum has reached, pending included: a lagging endpoint never lowers it."""
        answers = await self.pool.poll("eth_getTransactionCount", [sender.address, "pending"], lambda value: int(value, 16))
        return self._heights.reached(answers)

    async def prepare(self, sender: AccountId, calls: Sequence[Call], sequence: int | None) -> Submission:
        """Exactly one call. Besides the protocol's faults raises OutsideTerms when gas costs more than the configured cap."""
        signer = self._signers.get(sender)
        if signer is None:
            raise Misconfigured(f"no key for {sender}: name its keystore in the configuration")
        if len(calls) != 1:
            raise ValueError(f"{self.id}: {len(calls)} calls in one transaction; an EVM account with a key sends one at a time")
        call = calls[0]
        nonce = await self.sequence(sender) if sequence is None else sequence
        fees = self._caps.offer(*await self._gas_price(), where=self._settings.name)
        # The quorum's newest block and not "latest": an endpoint that lags says it lacks the block, and the next one is asked.
        newest = await self._heights.newest()
        have = await self._observing.eth.get_balance(_checked(sender.address), _number(newest))
        self._check_funds(sender, call, have, fee=0)  # first, because nodes word a simulation that lacks funds in many ways
        gas = await self._simulated_gas(sender, call, newest)
        self._check_funds(sender, call, have, fee=gas * fees.most)
        unsigned = Unsigned(
            chain_id=int(self.id.reference),
            nonce=nonce or 0,
            priority_fee=fees.priority,
            max_fee=fees.most,
            gas=gas,
            to=call.target,
            value=call.value,
            data=call.data,
        )
        raw = unsigned.signed(await signer.sign(unsigned.encode()))
        if Account.recover_transaction(raw) != sender.address:
            raise Misconfigured(f"the signer of {sender} signs for another account")
        return Submission(self.id, sender, hash_of(raw), raw, sequence=unsigned.nonce, valid_until=None)

    async def _simulated_gas(self, sender: AccountId, call: Call, at: int) -> int:
        """Run the call without sending it, on block `at`; the gas limit to give it. Raises Reverted or Unfunded."""
        doing = f"{self._settings.name}: {call.purpose}"
        transaction: TxParams = {
            "from": _checked(sender.address),
            "to": _checked(call.target),
            "data": HexBytes(call.data),
            "value": _wei(call.value),
        }
        try:
            await self._observing.eth.call(transaction, _number(at))
            estimate = await self._observing.eth.estimate_gas(transaction, _number(at))
        except Refused as refusal:
            raise sorted_refusal(refusal, doing) from None
        return estimate * (100 + self._settings.gas_margin) // 100

    def _check_funds(self, sender: AccountId, call: Call, have: int, fee: int) -> None:
        need = call.value + fee
        if have < need:
            gas = f" and up to {Amount(self.native, fee)} for gas" if fee else ""
            raise Unfunded(
                f"{self._settings.name}: {call.purpose}: {sender.address} has {Amount(self.native, have)} and needs "
                f"{Amount(self.native, need)}: {Amount(self.native, call.value)} to send along{gas}"
            )

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
        count = await self._deciding.eth.get_transaction_count(_checked(submission.sender.address), HexBytes(final.hash))
        if count <= nonce:
            return Pending(f"nonce {nonce} is unused at finalized block {final.number} and no block holds {submission.reference}")
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


def _checked(address: str) -> Any:
    """Ids are checked where they are made; web3's own types of the same text."""
    return address


def _wei(value: int) -> Any:
    return value


def _number(block: int) -> Any:
    return block
