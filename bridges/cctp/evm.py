"""One end of CCTP on an EVM chain: the calls to Circle's contracts, and what their events prove.

A chain of another family is a class with the same methods; `rail` holds one end a chain and knows no family.
Source: github.com/circlefin/evm-cctp-contracts (TokenMessengerV2, TokenMinterV2, MessageTransmitterV2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import decode

from bridges.abi import ask, calldata, topic, word
from bridges.cctp.attestation import Attestation
from bridges.cctp.message import Burn, was_received
from bridges.erc20 import APPROVE_GAS, approve, revoke
from bridges.settings import CctpChain
from chains.base import Call, Log, Reader, Receipt
from chains.errors import Misconfigured, Reverted
from chains.ids import AccountId
from chains.tokens import Amount, Token

DEPART_GAS = APPROVE_GAS + 140_000  # a burn measures 99,000 to 125,000
CLAIM_GAS = 190_000  # a claim measures 130,000 to 160,000

_MESSAGE_SENT = topic("MessageSent(bytes)")
_MESSAGE_RECEIVED = topic("MessageReceived(address,uint32,bytes32,bytes32,uint32,bytes)")
_MINTED = topic("MintAndWithdraw(address,uint256,address,uint256)")
_BURN_TYPES = ("uint256", "uint32", "bytes32", "address", "bytes32", "uint256", "uint32")


@dataclass(frozen=True, slots=True)
class Mint:
    """The transaction that claimed a message, and what it really moved to the recipient for it, base units (zero is possible)."""

    receipt: Receipt
    units: int


@dataclass(frozen=True, slots=True)
class EvmEnd:
    """CCTP on one EVM chain, to look at and to encode for."""

    settings: CctpChain
    reader: Reader
    usdc: Token

    @property
    def messenger(self) -> bytes:
        """This chain's TokenMessenger, as messages carry it."""
        return word(self.settings.token_messenger)

    @property
    def token(self) -> bytes:
        return word(self.usdc.id.reference)

    def account(self, account: AccountId) -> bytes:
        """How messages carry an account, as sender of a burn and as recipient of a mint."""
        return word(account.address)

    # ---- the source side ----

    async def burn_limit(self) -> int:
        """Most base units one burn may have, as the TokenMinter says; the configured limit when it cannot be asked."""
        try:
            (minter,) = await ask(self.reader, self._call(self.settings.token_messenger, "localMinter", "read the minter"), ["address"])
            data = calldata("burnLimitsPerMessage", ["address"], [self.usdc.id.reference])
            (limit,) = await ask(self.reader, Call(self.usdc.chain, minter, data, "read the burn limit"), ["uint256"])
        except (Reverted, Misconfigured):
            return int(self.settings.burn_limit * 10**self.usdc.decimals)
        return int(limit)

    def depart(self, burn: Burn) -> tuple[Call, Call]:
        """Approve exactly, then burn exactly that."""
        amount = Amount(self.usdc, burn.amount)
        values = (
            burn.amount,
            burn.target,
            burn.recipient,
            self.usdc.id.reference,
            bytes(32),  # anyone may claim: the recipient is fixed by the message
            burn.max_fee,
            burn.finality,
        )
        purpose = f"burn {amount} for CCTP domain {burn.target}"
        deposit = Call(self.usdc.chain, self.settings.token_messenger, calldata("depositForBurn", _BURN_TYPES, values), purpose)
        return approve(amount, self.settings.token_messenger), deposit

    def sent(self, receipt: Receipt) -> list[bytes]:
        """Messages of a transaction, from this chain's MessageTransmitter only: others may emit the same event."""
        logs = (log for log in receipt.logs if _is(log, self.settings.message_transmitter, _MESSAGE_SENT))
        return [bytes(decode(["bytes"], log.data)[0]) for log in logs]

    async def undo(self, sender: AccountId) -> Sequence[Call]:
        return await revoke(self.reader, self.usdc, sender, self.settings.token_messenger)

    # ---- the target side ----

    async def consumed(self, nonce: bytes) -> bool:
        """Whether a message with this nonce was received already, by whoever's claim."""
        data = calldata("usedNonces", ["bytes32"], [nonce])
        call = Call(self.usdc.chain, self.settings.message_transmitter, data, "ask whether the message was received")
        (used,) = await ask(self.reader, call, ["uint256"])
        return bool(used)

    def claim(self, message: bytes, signatures: bytes) -> Call:
        data = calldata("receiveMessage", ["bytes", "bytes"], [message, signatures])
        return Call(self.usdc.chain, self.settings.message_transmitter, data, f"mint {self.usdc.asset} that was burned elsewhere")

    async def refusal(self, claim: Call) -> str:
        """Why the chain would refuse the claim now; empty when it would not."""
        try:
            await ask(self.reader, claim, ["bool"])
        except Reverted as reason:
            return str(reason) or "no reason given"
        return ""

    async def mint(self, attestation: Attestation, recipient: AccountId, since: int) -> Mint | None:
        """The transaction since height `since` that consumed the message's nonce; None when it is not found (yet)."""
        topics = (_MESSAGE_RECEIVED, None, attestation.id)
        for receipt in await self.reader.search(self.settings.message_transmitter, topics, since):
            position = self._consumed_at(receipt, attestation.id)
            if position is None:
                continue
            domain, sender, body = decode(["uint32", "bytes32", "bytes"], receipt.logs[position].data)
            ours = was_received(attestation.message, domain, sender, body)
            credited = self._minted_before(receipt.logs[:position], recipient) if ours else 0
            return Mint(receipt, max(0, min(credited, receipt.moved(recipient, self.usdc.id))))
        return None

    def _consumed_at(self, receipt: Receipt, nonce: str) -> int | None:
        for position, log in enumerate(receipt.logs):
            if self._is_receipt_of_message(log) and len(log.topics) > 2 and log.topics[2].lower() == nonce:
                return position
        return None

    def _minted_before(self, logs: Sequence[Log], recipient: AccountId) -> int:
        """What the mint of the message that was received right after `logs` gave the recipient.

        A transaction may receive several messages; each one's mint lies between the receipt before it and its own."""
        total = 0
        for log in reversed(logs):
            if self._is_receipt_of_message(log):
                break
            to_us = _is(log, self.settings.token_messenger, _MINTED) and log.topics[1:3] == (_topic(recipient.address), _topic(self.token))
            total += decode(["uint256", "uint256"], log.data)[0] if to_us else 0
        return total

    def _is_receipt_of_message(self, log: Log) -> bool:
        return _is(log, self.settings.message_transmitter, _MESSAGE_RECEIVED)

    def _call(self, target: str, view: str, purpose: str) -> Call:
        return Call(self.usdc.chain, target, calldata(view, [], []), purpose)


def _is(log: Log, address: str, event: str) -> bool:
    return log.address.lower() == address.lower() and bool(log.topics) and log.topics[0].lower() == event


def _topic(value: str | bytes) -> str:
    return f"0x{(word(value) if isinstance(value, str) else value).hex()}"
