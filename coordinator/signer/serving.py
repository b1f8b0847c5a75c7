"""The signer at work: one socket, one question after the other, and for each the gate, the windows, the journal, then the key."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from coordinator.signer import wire
from coordinator.signer.gate import Gate
from coordinator.signer.journal import Journal
from coordinator.signer.keyfiles import Sealed
from coordinator.signer.policy import Policy
from coordinator.signer.spending import Spending
from coordinator.signer.verdict import Refused

_LONGEST_INTENT = 500  # characters; it is only for people who read the journal


class Desk:
    """Signs what its gate and its windows allow. Not concurrent: each question is answered before the next is read."""

    def __init__(self, policy: Policy, keys: Mapping[str, Sealed], journal: Journal, clock: Callable[[], float] = time.time) -> None:
        self._policy, self._keys, self._journal, self._clock = policy, keys, journal, clock
        self._gate, self._spending = Gate(policy), Spending(policy)
        for spend in journal.spends:
            self._spending.add(spend)

    def hello(self) -> dict[str, Any]:
        return {
            "version": wire.VERSION,
            "treasury": self._policy.treasury,
            "config": self._policy.config,
            "accounts": list(self._keys),
            "count": self._journal.count,
        }

    def sign(self, account: str, unsigned: bytes, intent: str) -> bytes:
        """The signature, once it is in the journal. Raises Refused; OSError when the journal cannot be written."""
        now = self._spending.now(int(self._clock()))
        verdict = self._gate.judge(account, unsigned, now)
        key = self._keys.get(account)
        if key is None:
            raise Refused("account", f"{account} has no key here", ", ".join(self._keys))
        spend = self._spending.check(verdict, now)
        self._journal.append(account, unsigned, verdict, spend, intent[:_LONGEST_INTENT])
        self._spending.add(spend)
        return key.sign(unsigned)

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Raises Malformed for what is no question of the protocol."""
        ask = wire.text_of(message, "ask")
        if ask == "hello" and message.get("version") == wire.VERSION:
            return {"hello": self.hello()}
        if ask != "sign":
            raise wire.Malformed(f"an unknown question or version: {ask[:20]!r}")
        try:
            unsigned = bytes.fromhex(wire.text_of(message, "unsigned"))
        except ValueError:
            raise wire.Malformed("unsigned is not hex") from None
        try:
            return {"signature": self.sign(wire.text_of(message, "account"), unsigned, wire.text_of(message, "intent")).hex()}
        except Refused as refusal:
            say(f"refused {refusal}")
            return {"refused": {"rule": refusal.rule, "found": refusal.found, "allowed": refusal.allowed}}


def listen(place: Path, clients: frozenset[int]) -> socket.socket:
    """A Unix socket at `place`, in place of one that was left there: 0600, or 0660 where a client is another user. Raises OSError."""
    place.unlink(missing_ok=True)
    line = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o117 if clients - {os.geteuid()} else 0o177)
    try:
        line.bind(str(place))
    finally:
        os.umask(mask)
    line.listen()
    return line


async def serve(desk: Desk, line: socket.socket, clients: frozenset[int], until: asyncio.Event, ready: Callable[[], None]) -> None:
    """Answer at a listening socket until told to stop. `clients`: user ids that may ask; nobody else gets an answer."""
    connections: set[asyncio.StreamWriter] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        try:
            if wire.peer(writer) not in clients:
                say(f"cut off: user {wire.peer(writer)} is not among {sorted(clients)}")
                return
            await _converse(desk, reader, writer)
        finally:
            connections.discard(writer)
            writer.close()

    async with await asyncio.start_unix_server(meet, sock=line):
        ready()
        await until.wait()
        for writer in connections:
            writer.close()


async def _converse(desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            try:
                answer = desk.answer(await wire.receive(reader))
            except (wire.Malformed, OSError) as problem:
                say(f"cut off: {problem}")
                return
            writer.write(wire.packed(answer))
            await writer.drain()


def say(words: str) -> None:
    sys.stderr.write(f"signer: {words}\n")
