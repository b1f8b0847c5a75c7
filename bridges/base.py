"""The protocols of a rail, and the data that crosses them.

A rail is a way value can move: a bridge (across chains) or a swap venue (on one). It prices, encodes and
looks; it never sends. Both kinds are held to one contract suite in tests/contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from bridges.http import Http
from chains.base import Call, Reader, Receipt
from chains.ids import AccountId, ChainId, TokenId
from chains.tokens import Amount, Token

Kind = Literal["bridge", "swap"]


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """One direction of one rail: an edge of the planner's graph. `id` is unique and stable, as in `cctp.fast/alpha.USDC/beta.USDC`."""

    id: str
    rail: str
    source: Token
    target: Token

    @property
    def kind(self) -> Kind:
        return "swap" if self.source.chain == self.target.chain else "bridge"


@dataclass(frozen=True, slots=True)
class Quote:
    """A price for one amount over one lane, now.

    `takes`: expected to arrive. `fees`: paid outside the flow in native coins (message fee and the network fees of every
    transaction we send on either side). `least`/`most`: base units of `gives` the lane would take now.
    `terms`: what `depart` needs again (fee tier, fee ceiling, path); plain strings, so that they survive the journal.
    """

    lane: Lane
    gives: Amount
    takes: Amount
    fees: tuple[Amount, ...]
    least: int
    most: int
    latency_s: int
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leg:
    """An offer taken up: this amount, over this lane, from our account to our account, for no less than `least`.

    `id`: 32 hex digits, unique for ever. `deadline`: unix seconds after which it must not start.
    """

    id: str
    lane: Lane
    gives: Amount
    least: Amount
    sender: AccountId
    recipient: AccountId
    deadline: int
    terms: Mapping[str, str] = field(default_factory=dict)


TransitState = Literal["source_confirmed", "source_final", "attesting", "relaying"]


@dataclass(frozen=True, slots=True)
class InTransit:
    """Left the source, not yet at the target. `message` is the protocol's own id of the transfer, once known."""

    state: TransitState
    detail: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Claimable:
    """Waits at the target for a transaction that anyone may send; `calls` is that transaction."""

    calls: tuple[Call, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """Came to rest at the recipient: proved by a final receipt on the target chain, `amount` as that receipt moved it."""

    amount: Amount
    receipt: Receipt
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refunded:
    """Came back to the sender, proved by a final receipt on the source chain."""

    amount: Amount
    receipt: Receipt
    message: str = ""


Arrival = InTransit | Claimable | Delivered | Refunded


class Rail(Protocol):
    """Prices, encodes and looks; never sends. Methods raise Fault as chains.errors sorts them."""

    @property
    def name(self) -> str: ...

    def lanes(self) -> Sequence[Lane]:
        """Every lane that the configuration allows, in a stable order."""

    async def quote(self, lane: Lane, gives: Amount) -> Quote:
        """Raises OutsideTerms when the amount is below the minimum or above what the lane can take now."""

    async def depart(self, leg: Leg) -> Sequence[Call]:
        """The calls on the source chain, in order; approvals are exact and used up by the calls themselves.

        Looks at the price again and raises OutsideTerms when `least` cannot be had."""

    async def arrival(self, leg: Leg, departure: Receipt) -> Arrival:
        """Where the value is, given the final, successful receipt of the last departure call. Safe to ask any number of times."""

    async def undo(self, leg: Leg) -> Sequence[Call]:
        """Calls that take back what is reversible of a departure that did not happen (a leftover allowance); often none."""


@runtime_checkable
class Several(Protocol):
    """What a rail may offer besides: prices for several amounts at one look, which spares asking again what is the same for all."""

    async def quotes(self, lane: Lane, gives: Sequence[Amount]) -> Sequence[Quote]:
        """As `Rail.quote` for each amount, in their order; raises what `quote` would raise for any of them."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rail is built with: networks to look at, the tokens of the treasury, and its accounts by chain."""

    readers: Mapping[ChainId, Reader]
    tokens: Mapping[TokenId, Token]
    accounts: Mapping[ChainId, AccountId]
    http: Http
