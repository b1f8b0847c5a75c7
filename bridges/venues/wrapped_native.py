"""The wrapped-native venue: the native coin into its wrapped token and back, one for one, through a WETH9-like contract.

Source: github.com/dapphub/ds-weth (WETH9: deposit, withdraw). Trust: the wrapping contract's code. It lets a plan refill a
chain's gas from what is held wrapped, and wrap what a chain holds above its gas floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridges.abi import calldata
from bridges.base import Arrival, Delivered, Lane, Leg, Quote, Rail, Surroundings
from bridges.settings import WrappedNativeSettings
from chains.base import Call, Reader, Receipt
from chains.errors import Misconfigured, OutsideTerms
from chains.ids import ChainId
from chains.tokens import Amount, Token

WRAP_GAS = 55_000  # the dearer of the two: a deposit into an empty balance
MOST = 2**128 - 1  # more than any native coin has base units; the contract has no limit of its own


def build(settings: WrappedNativeSettings, surroundings: Surroundings) -> Rail:
    """Raises Misconfigured when a chain or its wrapped token is not part of the treasury, or is not a copy of the native coin."""
    pairs = []
    for chain, wrapped in settings.chains.items():
        reader, token = surroundings.readers.get(chain), surroundings.tokens.get(wrapped)
        if reader is None or token is None:
            raise Misconfigured(
                f"rails.wrapped-native.chains.{chain}: {wrapped} or its chain is not in this treasury; add it or remove the line"
            )
        if (token.asset, token.decimals) != (reader.native.asset, reader.native.decimals):
            raise Misconfigured(
                f"rails.wrapped-native.chains.{chain}: {token} is not {reader.native.asset} with {reader.native.decimals} decimals"
            )
        pairs.append((reader.native, token))
    return WrappedNative(pairs, surroundings.readers, settings.seconds)


class WrappedNative:
    """Both directions of each pair (native coin, wrapped token)."""

    name = "wrapped-native"

    def __init__(self, pairs: Sequence[tuple[Token, Token]], readers: Mapping[ChainId, Reader], seconds: int) -> None:
        self._readers = readers
        self._seconds = seconds
        ordered = [ends for native, wrapped in pairs for ends in ((native, wrapped), (wrapped, native))]
        self._lanes = tuple(Lane(f"{self.name}/{s.id.kind}/{s.chain}", self.name, s, t) for s, t in ordered)

    def lanes(self) -> Sequence[Lane]:
        return self._lanes

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        if not 1 <= gives.units <= MOST:
            raise OutsideTerms(f"{lane.id} takes one base unit to {MOST}, not {gives}")
        fee = await self._readers[lane.source.chain].fee(WRAP_GAS)
        return Quote(lane, gives, Amount(lane.target, gives.units), (fee,), least=1, most=MOST, latency_s=self._seconds)

    async def depart(self, leg: Leg) -> Sequence[Call]:
        if leg.least.units > leg.gives.units:
            raise OutsideTerms(f"{leg.lane.id} gives one for one: {leg.gives} can never bring {leg.least}")
        if leg.sender != leg.recipient:
            raise Misconfigured(f"{leg.lane.id} pays the sender only; leg {leg.id} names the recipient {leg.recipient}")
        chain = leg.lane.source.chain
        if leg.lane.source.id.is_native:
            contract = leg.lane.target.id.reference
            return (Call(chain, contract, calldata("deposit", [], []), f"wrap {leg.gives}", value=leg.gives.units),)
        data = calldata("withdraw", ["uint256"], [leg.gives.units])
        return (Call(chain, leg.lane.source.id.reference, data, f"unwrap {leg.gives}"),)

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        """Raises Misconfigured when the transaction moved nothing: then this was not our wrap."""
        units = departure.moved(leg.recipient, leg.lane.target.id)
        if units <= 0:
            raise Misconfigured(f"{departure.reference} on {departure.chain} moved no {leg.lane.target} to {leg.recipient}")
        return Delivered(Amount(leg.lane.target, units), departure, departure.reference)

    async def undo(self, leg: Leg) -> Sequence[Call]:
        return ()  # one transaction, whole or not at all, and no allowance
