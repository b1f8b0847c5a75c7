"""What really happened, read from chain history alone: who sent what in our name, and where each leg's value is.

Legs are told apart by what their calldata carries (every leg of a drawn plan has a deadline of its own), transfers by
the bridge's message id. Nothing here looks at the journal.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridges.base import Leg
from bridges.simulated import message_id
from chains.base import Call, Receipt
from chains.ids import ChainId, TokenId
from chains.simulated import decode
from coordinator.plan import Plan
from tests.simulation.worlds import Scene


@dataclass
class LegTruth:
    """`departed`: successful departures. `arrived`: deliveries at the recipient (a swap's departure is its own). `refunded`: back home."""

    departed: list[Receipt] = field(default_factory=list)
    arrived: list[Receipt] = field(default_factory=list)
    refunded: list[Receipt] = field(default_factory=list)

    @property
    def in_flight(self) -> bool:
        return bool(self.departed) and not self.arrived and not self.refunded


@dataclass
class Truth:
    """`effects`: how often each thing that must happen once did. `unexplained`: transactions of ours that no leg accounts for."""

    legs: dict[str, LegTruth]
    effects: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    moved: Counter[TokenId] = field(default_factory=Counter)
    """Net change of our balances since the opening, fees included: an independent ledger over raw receipts."""
    by_others: Counter[TokenId] = field(default_factory=Counter)
    """The part of it that neither a leg nor a bridge did."""


def tell(scene: Scene, plan: Plan, wire: Mapping[str, int]) -> Truth:
    """Read every block of every chain. `wire`: references of everything the coordinator ever sent."""
    return _Reading(scene, plan, wire).done()


class _Reading:
    def __init__(self, scene: Scene, plan: Plan, wire: Mapping[str, int]) -> None:
        self.scene = scene
        self.wire = wire
        self.legs = {planned.leg.id: planned.leg for planned in plan.legs}
        self.by_deadline = {leg.deadline: leg for leg in self.legs.values()}
        self.truth = Truth({name: LegTruth() for name in self.legs})
        self.messages: dict[str, Leg] = {}
        self.claims: defaultdict[str, list[str]] = defaultdict(list)
        self.bridges = {c.address: name for name, (_, relayer) in scene.bridges.items() for c in relayer.contracts.values()}
        self.spenders = {*self.bridges, *(pool.address for pool in scene.pools)}

    def done(self) -> Truth:
        everything = [pair for network in self.scene.world.networks.values() for pair in network.receipts(0)]
        ours = [(t, r) for t, r in everything if t.sender == self.scene.accounts[t.sender.chain] and t.reference not in self.scene.foreign]
        for transaction, receipt in ours:
            self._ours(transaction.calls, receipt)
        for transaction, receipt in everything:
            if receipt.succeeded:
                self._deliveries(transaction.calls, receipt)
        for message in set(self.claims) - set(self.messages):
            self.truth.unexplained += [f"{ref} claims {message}, which no leg of ours sent" for ref in self.claims[message]]
        explained = {r.reference for leg in self.truth.legs.values() for r in (*leg.departed, *leg.arrived, *leg.refunded)}
        explained |= {receipt.reference for _, receipt in ours}
        for _, receipt in everything:
            self._balances(receipt, by_others=receipt.reference not in explained)
        return self.truth

    def _ours(self, calls: tuple[Call, ...], receipt: Receipt) -> None:
        if receipt.reference not in self.wire:
            self.truth.unexplained.append(f"{receipt.reference} is signed by us and was never sent by us")
        for call in calls:
            if why := self._unauthorised(call):
                self.truth.unexplained.append(f"{receipt.reference}: {why}")
            method, arguments = decode(call.data)
            if receipt.succeeded and not (method == "approve" and arguments["units"] == 0):
                self.truth.effects[call.target, call.data] += 1
            if receipt.succeeded and method in ("send", "swap"):
                self._departure(self.by_deadline[int(arguments["deadline"])], method, call.target, receipt)
            if method == "claim":
                self.claims[str(arguments["message"])].append(receipt.reference)

    def _departure(self, leg: Leg, method: str, target: str, receipt: Receipt) -> None:
        truth = self.truth.legs[leg.id]
        truth.departed.append(receipt)
        if method == "swap":
            truth.arrived.append(receipt)
        else:
            self.messages[message_id(self.bridges[target], receipt.chain, receipt.reference)] = leg

    def _unauthorised(self, call: Call) -> str:
        """Why no leg of the plan explains the call; empty when one does."""
        method, arguments = decode(call.data)
        if method == "approve":
            gives = max((leg.gives.units for leg in self.legs.values() if leg.lane.source.id.reference == call.target), default=0)
            wrong = arguments["spender"] not in self.spenders or int(arguments["units"]) > gives
            return f"allows {arguments}" if wrong else ""
        if method in ("send", "swap"):
            leg = self.by_deadline.get(int(arguments["deadline"]))
            wrong = leg is None or arguments["recipient"] != leg.recipient.address or int(arguments["units"]) > leg.gives.units
            return f"{method} {arguments}" if wrong else ""
        return "" if method == "claim" and call.target in self.bridges else f"{method} {arguments}"

    def _deliveries(self, calls: tuple[Call, ...], receipt: Receipt) -> None:
        for call in calls:
            if call.target not in self.bridges:
                continue
            method, arguments = decode(call.data)
            if method == "claim":
                self._came(str(arguments["message"]), receipt, back=False)
            elif method in ("deliver", "refund"):
                self._came(str(json.loads(str(arguments["transfer"]))["message"]), receipt, back=method == "refund")

    def _came(self, message: str, receipt: Receipt, *, back: bool) -> None:
        leg = self.messages.get(message)
        if leg is not None:
            truth = self.truth.legs[leg.id]
            (truth.refunded if back else truth.arrived).append(receipt)

    def _balances(self, receipt: Receipt, *, by_others: bool) -> None:
        chain: ChainId = receipt.chain
        mine, native = self.scene.accounts[chain], self.scene.network(chain).native.id
        if receipt.sender == mine:
            self.truth.moved[native] -= receipt.fee
        for movement in receipt.movements:
            if movement.account == mine:
                self.truth.moved[movement.token] += movement.units
                self.truth.by_others[movement.token] += movement.units if by_others else 0
