"""From a call to a signed transaction: priced, simulated and built with web3, signed by a key it never sees.

Loaded when the first transaction is prepared: web3 and eth_account take longer to import than a whole look at the treasury.
"""

from __future__ import annotations

from typing import Any

from eth_account import Account
from hexbytes import HexBytes
from web3.types import TxParams

from chains.base import Call, Signer, Submission
from chains.endpoint import Refused
from chains.errors import Misconfigured, Unfunded
from chains.evm.fees import Caps
from chains.evm.gas import GasPrice
from chains.evm.heights import Heights
from chains.evm.provider import web3_over
from chains.evm.reverts import sorted_refusal
from chains.evm.transactions import Unsigned, hash_of
from chains.ids import AccountId
from chains.rpc import EndpointPool
from chains.settings import EvmSettings
from chains.tokens import Amount


class Preparing:
    """The signing side of one chain. `caps` bound what gas may cost."""

    def __init__(self, settings: EvmSettings, pool: EndpointPool, heights: Heights, gas: GasPrice) -> None:
        self._settings = settings
        self._heights = heights
        self._gas = gas
        self._caps = Caps.of_gwei(settings.max_fee_gwei, settings.max_priority_fee_gwei)
        self._observing = web3_over(pool.observe)

    async def prepare(self, signer: Signer, call: Call, nonce: int) -> Submission:
        """Raises Reverted or Unfunded when it would fail, OutsideTerms when gas costs more than the configured cap."""
        sender = signer.account
        fees = self._caps.offer(*await self._gas.now(), where=self._settings.name)
        # The quorum's newest block and not "latest": an endpoint that lags says it lacks the block, and the next one is asked.
        newest = await self._heights.newest()
        have = await self._observing.eth.get_balance(_checked(sender.address), _number(newest))
        self._check_funds(sender, call, have, fee=0)  # first, because nodes word a simulation that lacks funds in many ways
        gas = await self._simulated_gas(sender, call, newest)
        self._check_funds(sender, call, have, fee=gas * fees.most)
        unsigned = Unsigned(
            chain_id=int(self._settings.id.reference),
            nonce=nonce,
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
        return Submission(self._settings.id, sender, hash_of(raw), raw, sequence=unsigned.nonce, valid_until=None)

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
        native = self._settings.native_token
        need = call.value + fee
        if have < need:
            gas = f" and up to {Amount(native, fee)} for gas" if fee else ""
            raise Unfunded(
                f"{self._settings.name}: {call.purpose}: {sender.address} has {Amount(native, have)} and needs "
                f"{Amount(native, need)}: {Amount(native, call.value)} to send along{gas}"
            )


def _checked(address: str) -> Any:
    """Ids are checked where they are made; web3's own types of the same text."""
    return address


def _wei(value: int) -> Any:
    return value


def _number(block: int) -> Any:
    return block
