"""One end of a warp route on an EVM chain: calls to mailbox and router, and what their events prove.

Source: hyperlane-xyz/hyperlane-monorepo, `Mailbox.sol`, `TokenRouter.sol`, `HypERC20Collateral.sol`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import decode

from bridges.abi import ask, calldata, topic, word
from bridges.base import Leg
from bridges.erc20 import APPROVE_GAS, approve, revoke
from bridges.hyperlane.message import Transfer, is_ours
from bridges.hyperlane.settings import HyperlaneChain
from chains.base import Call, Log, Reader, Receipt
from chains.errors import OutsideTerms
from chains.ids import AccountId
from chains.tokens import Amount, Token

DEPART_GAS = APPROVE_GAS + 260_000  # transferRemote measures 200,000 to 224,000
UNLIMITED = 2**255  # a synthetic token is minted, so nothing at the target limits a transfer

_DISPATCH = topic("Dispatch(address,uint32,bytes32,bytes)")
_PROCESS_ID = topic("ProcessId(bytes32)")
_NATIVE = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class EvmEnd:
    """The route on one EVM chain, to look at and to encode for."""

    settings: HyperlaneChain
    reader: Reader
    token: Token

    @property
    def router(self) -> bytes:
        return word(self.settings.warp)

    @property
    def is_synthetic(self) -> bool:
        """The warp contract is itself the token: it burns and mints, and needs no allowance."""
        return self.settings.warp == self.token.id.reference

    def account(self, account: AccountId) -> bytes:
        return word(account.address)

    # ---- the source side ----

    async def enrolled(self, domain: int) -> bytes:
        """The router this end trusts and sends to on a domain; zeros when there is none."""
        (router,) = await ask(self.reader, self._view("routers", ["uint32"], [domain]), ["bytes32"])
        return bytes(router)

    async def message_fee(self, domain: int, recipient: bytes, units: int) -> Amount:
        """What the mailbox's hooks want, native coin. Raises OutsideTerms when the route would take more of the token than is given."""
        types, values = ["uint32", "bytes32", "uint256"], [domain, recipient, units]
        (quotes,) = await ask(self.reader, self._view("quoteTransferRemote", types, values), ["(address,uint256)[]"])
        native = sum(amount for token, amount in quotes if token == _NATIVE)
        tokens = sum(amount for token, amount in quotes if token != _NATIVE)
        if tokens != units:
            raise OutsideTerms(
                f"the warp route at {self.settings.warp} takes {tokens} base units for {units}; token fees are not supported"
            )
        return Amount(self.reader.native, native)

    async def network_fee(self) -> Amount:
        return await self.reader.fee(DEPART_GAS)

    async def depart(self, leg: Leg, domain: int, recipient: bytes, fee: Amount) -> tuple[Call, ...]:
        """Approve exactly (unless the token is the route's own), then transfer exactly that."""
        data = calldata("transferRemote", ["uint32", "bytes32", "uint256"], [domain, recipient, leg.gives.units])
        purpose = f"send {leg.gives} to Hyperlane domain {domain}"
        transfer = Call(self.token.chain, self.settings.warp, data, purpose, value=fee.units)
        return (transfer,) if self.is_synthetic else (approve(leg.gives, self.settings.warp), transfer)

    async def dispatched(self, leg: Leg, departure: Receipt, ours: Transfer) -> bytes:
        """Our message out of the departure's events, from this chain's mailbox only; empty when it holds none."""
        logs = (log for log in departure.logs if _is(log, self.settings.mailbox, _DISPATCH))
        messages = [bytes(decode(["bytes"], log.data)[0]) for log in logs]
        return next((message for message in messages if is_ours(message, ours)), b"")

    async def undo(self, sender: AccountId) -> Sequence[Call]:
        return () if self.is_synthetic else await revoke(self.reader, self.token, sender, self.settings.warp)

    # ---- the target side ----

    async def collateral(self) -> int:
        """What the route can release here now, base units."""
        if self.is_synthetic:
            return UNLIMITED
        data = calldata("balanceOf", ["address"], [self.settings.warp])
        (units,) = await ask(self.reader, Call(self.token.chain, self.token.id.reference, data, "read the route's collateral"), ["uint256"])
        return int(units)

    async def is_delivered(self, message: str) -> bool:
        data = calldata("delivered", ["bytes32"], [bytes.fromhex(message[2:])])
        call = Call(self.token.chain, self.settings.mailbox, data, "ask whether the message was delivered")
        (delivered,) = await ask(self.reader, call, ["bool"])
        return bool(delivered)

    async def delivery(self, message: str, since: int) -> Receipt | None:
        """The transaction since height `since` that delivered the message; None when it is not found (yet)."""
        for receipt in await self.reader.search(self.settings.mailbox, (_PROCESS_ID, message), since):
            if receipt.succeeded and any(_is(log, self.settings.mailbox, _PROCESS_ID, message) for log in receipt.logs):
                return receipt
        return None

    def _view(self, name: str, types: Sequence[str], values: Sequence[object]) -> Call:
        return Call(self.token.chain, self.settings.warp, calldata(name, types, values), f"read the route's {name}")


def _is(log: Log, address: str, *topics: str) -> bool:
    same = [topic.lower() for topic in log.topics[: len(topics)]] == list(topics)
    return same and log.address.lower() == address.lower()
