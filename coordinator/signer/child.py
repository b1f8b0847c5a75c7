"""The signer as the coordinator's child: started when keys are needed, ended with it, and started again when it died."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chains.errors import Misconfigured, Unreachable
from chains.ids import AccountId
from coordinator.signer.remote import RemoteSigner, greet

if TYPE_CHECKING:
    from coordinator.config.treasury import Treasury

_START = 60.0  # seconds; opening a strong keystore takes a second each
_END = 5.0
_DYING = 1.0
_MOST_STARTS = 20  # in one life of the coordinator: a signer that dies more often needs a person
_READY = b"ready\n"
_UNUSABLE = 2  # its exit code when policy, keys or journal are not as they must be


@dataclass(frozen=True, slots=True)
class Attached:
    """The treasury's signers, and what ends the process behind them."""

    signers: Mapping[AccountId, RemoteSigner]
    close: Callable[[], None]


class Child:
    """One signer process with its socket in a folder of its own (0700)."""

    def __init__(self, policy: Path) -> None:
        self._policy = policy
        self._folder = Path(tempfile.mkdtemp(prefix="coordinator-signer-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._reviving = threading.Lock()  # signers of several accounts may miss it at once

    @property
    def place(self) -> Path:
        return self._folder / "signer.sock"

    @property
    def pid(self) -> int:
        """Of the process that runs now; 0 when none does."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Returns when it answers. Raises Misconfigured with its own words when it cannot be used, Unreachable when somebody ended it."""
        self._starts += 1
        if self._starts > _MOST_STARTS:
            raise Misconfigured(f"the signer ended {_MOST_STARTS} times; look at what it says: {self._said()}")
        line = [sys.executable, "-P", "-m", "coordinator.signer", "--policy", str(self._policy), "--socket", str(self.place), "--child"]
        with (self._folder / "said.txt").open("ab") as said:
            # An environment of its own: nothing that the coordinator was given reaches the keys. A session of its own: Ctrl-C is for
            # the coordinator, which may still have to sign while it finishes.
            self._process = subprocess.Popen(
                line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env={}, start_new_session=True
            )
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _START)[0] or self._process.stdout.readline() != _READY:
            if self._stop() == _UNUSABLE:
                raise Misconfigured(f"the signer does not start: {self._said()}")
            raise Unreachable(f"the signer was ended while it started; nothing was signed. {self._said()}")

    def revive(self, why: str) -> None:
        """Start it again if it is gone; one that runs and does not answer is ended first when it hung."""
        with self._reviving:
            if why != "TimeoutError" and self._runs():
                return
            self._stop()
            self.start()

    def _runs(self) -> bool:
        """A process that is killed closes its sockets a moment before it is gone."""
        if self._process is None:
            return False
        try:
            self._process.wait(_DYING)
        except subprocess.TimeoutExpired:
            return True
        return False

    def close(self) -> None:
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stop(self) -> int:
        """End it; its exit code, negative when a signal ended it."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()  # its stdin closes: it ends by itself
        try:
            return process.wait(_END)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _said(self) -> str:
        """Its last line on stderr."""
        file = self._folder / "said.txt"
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines() if file.exists() else []
        return lines[-1] if lines else ""


def attach(treasury: Treasury) -> Attached:
    """Signers for every account with a key, behind the configured socket, or behind a child that is started now.

    Raises Misconfigured when the policy is missing, of another configuration, or lacks an account; Unreachable when nobody answers.
    """
    wanted = [treasury.accounts[chain] for chain in treasury.keys]
    intent = f"{treasury.name} {treasury.config_hash[:12]}"
    if treasury.signer.socket is not None:
        place = treasury.signer.socket
        _check(treasury, greet(place), wanted)
        return Attached({account: RemoteSigner(place, account, intent) for account in wanted}, lambda: None)
    child = Child(treasury.signer.policy)
    with ExitStack() as started:
        started.callback(child.close)
        child.start()
        _check(treasury, greet(child.place), wanted)
        started.pop_all()
    return Attached({account: RemoteSigner(child.place, account, intent, child.revive) for account in wanted}, child.close)


def _check(treasury: Treasury, hello: Mapping[str, object], wanted: list[AccountId]) -> None:
    again = f"write it again with: coordinator signer policy -c {treasury.file}"
    if hello.get("config") != treasury.config_hash:
        raise Misconfigured(f"the signer's policy was written for another state of {treasury.file.name}; read what changed, then {again}")
    known = hello.get("accounts")
    missing = [str(account) for account in wanted if not isinstance(known, list) or str(account) not in known]
    if missing:
        raise Misconfigured(f"the signer has no key of {', '.join(missing)}; {again}")
