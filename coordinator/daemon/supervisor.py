"""What the daemon tells systemd: ready, alive, stopping. One datagram each (sd_notify(3)); silence where there is no systemd."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supervisor:
    """`address`: a unix socket, `@` first for an abstract one. `patience`: seconds of silence after which we are restarted."""

    address: str | None = None
    patience: float | None = None

    @property
    def every(self) -> float | None:
        """How often to say that we live: half of the patience, as sd_watchdog_enabled(3) asks."""
        return None if self.patience is None else self.patience / 2

    def ready(self, status: str) -> None:
        self._say(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, text: str) -> None:
        self._say(f"STATUS={_one_line(text)}")

    def alive(self) -> None:
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        self._say("STOPPING=1")

    def _say(self, words: str) -> None:
        if not self.address:
            return
        where = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            try:
                line.sendto(words.encode(), where)
            except OSError:
                return  # nobody listens: no reason to stop work


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
