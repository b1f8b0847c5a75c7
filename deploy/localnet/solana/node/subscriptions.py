"""The WebSocket subscriptions: who wants to hear of what, at which commitment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from deploy.localnet.solana.node import encode
from deploy.localnet.solana.node.bank import SYSTEM
from deploy.localnet.solana.node.chain import Chain
from deploy.localnet.solana.node.errors import METHOD_NOT_FOUND, RpcError
from deploy.localnet.solana.node.methods import decimals_of
from deploy.localnet.solana.node.params import Params, as_pubkey
from deploy.localnet.solana.node.record import Landed
from deploy.localnet.solana.node.slots import COMMITMENTS

KINDS = ("account", "logs", "program", "signature", "slot", "root")
Outbox = Callable[[str], None]
"""Takes one text frame for one connection; must not block."""


@dataclass(frozen=True, slots=True)
class Subscription:
    number: int
    kind: str
    outbox: Outbox
    subject: Pubkey | Signature | None
    commitment: str
    config: dict[str, Any]

    def send(self, result: Any) -> None:
        params = {"result": result, "subscription": self.number}
        self.outbox(json.dumps({"jsonrpc": "2.0", "method": f"{self.kind}Notification", "params": params}))


def _subject(kind: str, params: Params) -> Pubkey | Signature | None:
    if kind in ("account", "program"):
        return params.pubkey(0)
    if kind == "signature":
        return params.signature(0)
    if kind == "logs" and params.has(0, dict):
        return as_pubkey(params.value(0)["mentions"][0])
    return None


class Subscriptions:
    """Listens to one chain. A transaction is told once at each commitment somebody waits for."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._live: dict[int, Subscription] = {}
        self._last = 0
        chain.on_landed.append(lambda record: self._tell("processed", [record]))
        chain.on_slot.append(self._slot_passed)

    def add(self, method: str, params: Params, outbox: Outbox) -> Subscription:
        """From `accountSubscribe` and its like. Raises RpcError for a kind the node does not have."""
        kind = method.removesuffix("Subscribe")
        if kind not in KINDS:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        # A configuration that cannot be shown must fail here, not when a slot passes.
        encode.account(Account(0, b"", SYSTEM), params.config, decimals_of(self._chain))
        self._last += 1
        new = Subscription(self._last, kind, outbox, _subject(kind, params), params.commitment, params.config)
        self._live[new.number] = new
        return new

    def started(self, new: Subscription) -> None:
        """The client knows its number now; a signature that landed before is told at once."""
        if new.kind == "signature" and isinstance(new.subject, Signature):
            record = self._chain.history.find(new.subject)
            reached = self._chain.slots.commitment_of(record.slot) if record else ""
            if record and COMMITMENTS.index(reached) >= COMMITMENTS.index(new.commitment):
                self._signature(new, record)

    def remove(self, number: int) -> bool:
        return self._live.pop(number, None) is not None

    def remove_all(self, outbox: Outbox) -> None:
        for number in [n for n, s in self._live.items() if s.outbox is outbox]:
            del self._live[number]

    # -- what happened -------------------------------------------------------------------------------------------

    def _slot_passed(self) -> None:
        slots = self._chain.slots
        root = slots.at("finalized")
        for each in list(self._live.values()):
            if each.kind == "slot":
                each.send({"parent": slots.now - 1, "root": root, "slot": slots.now})
            elif each.kind == "root":
                each.send(root)
        for commitment in ("confirmed", "finalized"):
            self._tell(commitment, self._chain.history.in_slot(slots.at(commitment)))

    def _tell(self, commitment: str, records: Iterable[Landed]) -> None:
        for record in list(records):
            for each in [s for s in self._live.values() if s.commitment == commitment]:
                self._tell_one(each, record)

    def _tell_one(self, each: Subscription, record: Landed) -> None:
        if each.kind == "signature" and each.subject == record.signature:
            self._signature(each, record)
        elif each.kind == "logs" and (each.subject is None or each.subject in record.keys.all()):
            value = {"signature": str(record.signature), "err": record.err, "logs": record.meta["logs"]}
            self._send(each, value)
        elif each.kind == "account" and isinstance(each.subject, Pubkey) and each.subject in record.changed:
            self._send(each, self._account(each, each.subject))
        elif each.kind == "program":
            self._program(each, record)

    def _program(self, each: Subscription, record: Landed) -> None:
        for key in record.changed:
            image = self._chain.account(key, each.commitment)
            if image is not None and image.owner == each.subject:
                self._send(each, {"pubkey": str(key), "account": self._account(each, key)})

    def _signature(self, each: Subscription, record: Landed) -> None:
        self.remove(each.number)  # told once, then over
        self._send(each, {"err": record.err})

    def _account(self, each: Subscription, key: Pubkey) -> Any:
        return encode.account(self._chain.account(key, each.commitment), each.config, decimals_of(self._chain))

    def _send(self, each: Subscription, value: Any) -> None:
        each.send({"context": {"slot": self._chain.slots.at(each.commitment)}, "value": value})
