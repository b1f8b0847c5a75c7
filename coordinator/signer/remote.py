"""A signer in another process, as the coordinator sees it: `chains.base.Signer` over a Unix socket. Holds no key."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from chains.errors import Fault, Misconfigured, Reaction, Unreachable
from chains.ids import AccountId
from coordinator.signer import wire

_PATIENCE = 30.0  # seconds for one answer; a signature takes milliseconds


class Declined(Fault):
    """The signer refuses to sign. It sees a danger that the coordinator did not, so a person must look. `rule`: as the signer names it."""

    reaction: ClassVar[Reaction] = Reaction.HALT

    def __init__(self, message: str, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


def _leave(_: str) -> None:
    """For a signer that somebody else runs: there is nothing to start again."""


@dataclass(frozen=True, slots=True)
class RemoteSigner:
    """Asks the signer at `place`. `intent`: words for the signer's journal. `revive`: starts it again when it is gone, if that is ours."""

    place: Path
    account: AccountId
    intent: str = ""
    revive: Callable[[str], None] = field(default=_leave, repr=False)

    async def sign(self, unsigned: bytes) -> bytes:
        """As the protocol says. Raises Declined, or Unreachable (RETRY): then no signature left the signer for us, so nothing was sent."""
        question = {"ask": "sign", "account": str(self.account), "unsigned": unsigned.hex(), "intent": self.intent}
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await _ask(self.place, question)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, wire.Malformed) as problem:
            await asyncio.to_thread(self.revive, type(problem).__name__)
            raise Unreachable(f"the signer at {self.place} gave no answer ({type(problem).__name__}); nothing was signed or sent") from None
        if "refused" in answer:
            raise _declined(self.account, answer["refused"])
        try:
            return bytes.fromhex(wire.text_of(answer, "signature"))
        except (ValueError, wire.Malformed):
            raise Unreachable(f"the signer at {self.place} gave no signature; nothing was sent") from None


async def _ask(place: Path, question: dict[str, Any]) -> dict[str, Any]:
    reader, writer = await asyncio.open_unix_connection(place)
    try:
        writer.write(wire.packed(question))
        await writer.drain()
        return await wire.receive(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _declined(account: AccountId, refusal: Any) -> Declined:
    told = {name: str(refusal.get(name, "")) for name in ("rule", "found", "allowed")} if isinstance(refusal, dict) else {}
    rule = told.get("rule", "unknown")
    allowed = f"; allowed: {told['allowed']}" if told.get("allowed") else ""
    return Declined(
        f"the signer of {account} refuses, rule {rule}: {told.get('found', '')}{allowed}. Nothing was signed. "
        "When the rule is too tight, change the treasury's configuration and run: coordinator signer policy",
        rule,
    )


def greet(place: Path) -> dict[str, Any]:
    """What the signer says of itself. Raises Unreachable when nobody answers, Misconfigured when it is no signer of ours."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(_PATIENCE)
            line.connect(str(place))
            line.sendall(wire.packed({"ask": "hello", "version": wire.VERSION}))
            (length,) = struct.unpack(">I", _exactly(line, 4))
            answer = json.loads(_exactly(line, min(length, wire.LARGEST)))
    except OSError as problem:
        raise Unreachable(f"no signer answers at {place}: {problem.strerror or type(problem).__name__}") from None
    except ValueError:
        raise Misconfigured(f"what answers at {place} is no signer of this version") from None
    hello = answer.get("hello")
    if not isinstance(hello, dict):
        raise Misconfigured(f"what answers at {place} is no signer of this version")
    return hello


def _exactly(line: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        part = line.recv(size - len(got))
        if not part:
            raise OSError("it hung up: this user may not ask it, or its version is another")
        got += part
    return got
