"""The signer's own journal: one line a signature, appended and flushed to disk before the signature leaves, chained by hashes.

It has nothing to do with the coordinator's journal, which lies where a hostile coordinator could restore an old copy of it.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import ExitStack
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

from coordinator.signer.spending import Spend
from coordinator.signer.verdict import Verdict

_FIRST = "0" * 64


class Damaged(Exception):
    """The journal cannot be used: who may sign what is not known any more."""


class Journal:
    """Open for one process at a time. `count`: signatures ever made; `head`: hash of the newest line, 64 hex digits."""

    def __init__(self, path: Path) -> None:
        """Raises Damaged when the file is not whole, when another signer uses it, or when others may write to it."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path, fresh = path, not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with ExitStack() as opened:
            opened.callback(os.close, self._file)
            self._check_ours()
            if fresh:
                _flush_folder(path.parent)
            self.count, self.head = 0, _FIRST
            self.spends = [self._read(line) for line in self._lines()]
            opened.pop_all()

    def append(self, account: str, unsigned: bytes, verdict: Verdict, spend: Spend, intent: str) -> None:
        """One line, on disk when this returns. OSError means: do not sign."""
        entry: dict[str, Any] = {
            "n": self.count + 1,
            "at": spend.at,
            "previous": self.head,
            "account": account,
            "digest": sha256(unsigned).hexdigest(),
            "effects": [[effect.kind, effect.token, str(effect.units)] for effect in verdict.effects],
            "units": {token: str(units) for token, units in spend.units.items()},
            "usd": str(spend.usd),
            "fees": str(spend.fees),
            "intent": intent,
        }
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._file, line)
        if written != len(line):
            raise OSError(f"{self._path}: only {written} of {len(line)} bytes were written")
        os.fsync(self._file)
        self.count, self.head = self.count + 1, sha256(line).hexdigest()

    def close(self) -> None:
        os.close(self._file)

    def _check_ours(self) -> None:
        found = os.fstat(self._file)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise Damaged(f"{self._path} is not this user's, or others may write to it; mend it with: chmod 600 {self._path}")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Damaged(f"{self._path} is in use by another signer; two would each allow the whole limit") from None

    def _lines(self) -> list[bytes]:
        content = self._path.read_bytes()
        if content and not content.endswith(b"\n"):
            raise Damaged(f"{self._path} ends in half a line (power loss?). No signature left for it: remove that line to go on")
        return content.splitlines(keepends=True)

    def _read(self, line: bytes) -> Spend:
        try:
            entry = json.loads(line)
            whole = entry["n"] == self.count + 1 and entry["previous"] == self.head
            spend = Spend(entry["at"], {t: int(u) for t, u in entry["units"].items()}, Fraction(entry["usd"]), Fraction(entry["fees"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            raise Damaged(f"{self._path}: line {self.count + 1} does not follow from the one before it; somebody changed the file")
        self.count, self.head = self.count + 1, sha256(line).hexdigest()
        return spend


def _flush_folder(folder: Path) -> None:
    """A new file is there after a power loss only when its folder was flushed too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
