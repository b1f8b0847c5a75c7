"""The network's child processes: started detached, found again by pid file, stopped only when they are really ours.

A pid alone can come to name a stranger's process once ours is gone, so the pid file also keeps the start time the
kernel recorded; a process that does not match both is never signalled.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.localnet import rpc

POLL_SECONDS = 0.05
STOP_SECONDS = 10
LOG_TAIL = 1_500


class ProcessError(Exception):
    """A child did not become ready; the text holds the end of its log."""


class PortTaken(ProcessError):
    """Another program listens where a child would."""


@dataclass(frozen=True, slots=True)
class Process:
    """One child: how to start it and how to tell that it is ready.

    `command` gives the argument list and is asked only when it is started; `ports` must be free then. It is ready when
    it lives, has written `ready_file` (if it has one), and answers `probe` (a JSON-RPC url and method; if it has one).
    """

    name: str
    command: Callable[[], list[str]]
    ports: Sequence[int]
    ready_file: Path | None = None
    probe: tuple[str, str] | None = None
    ready_seconds: float = 30


class Supervisor:
    """Starts and stops the processes of one network home."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.environment = dict(os.environ if environment is None else environment)

    def is_running(self, process: Process) -> bool:
        """Whether the process recorded in the pid file is alive and still the one we started."""
        record = self._record(process.name)
        return record is not None and _start_time(record["pid"]) == record["started"]

    def is_ready(self, process: Process) -> bool:
        """Whether it runs and is fit for use (see Process)."""
        if not self.is_running(process):
            return False
        if process.ready_file is not None and not process.ready_file.exists():
            return False
        return process.probe is None or _answers(*process.probe)

    def start(self, process: Process) -> None:
        """Start a process that is not running, detached from this one; its output goes to HOME/logs/NAME.log."""
        for port in process.ports:
            require_free(port, process.name)
        command = process.command()
        if process.ready_file is not None:
            process.ready_file.unlink(missing_ok=True)
        log = self._log(process.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        write = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), write, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = os.posix_spawn(command[0], command, self.environment, file_actions=actions, setsid=True)
        self._pid_file(process.name).parent.mkdir(parents=True, exist_ok=True)
        self._pid_file(process.name).write_text(json.dumps({"pid": pid, "started": _start_time(pid)}))

    def wait_ready(self, process: Process) -> None:
        """Wait until a started process is ready; ProcessError when it died or took too long."""
        deadline = time.monotonic() + process.ready_seconds
        while not self.is_ready(process):
            if not self.is_running(process):
                raise ProcessError(f"{process.name} stopped while starting. {self._last_words(process)}")
            if time.monotonic() > deadline:
                raise ProcessError(f"{process.name} was not ready in {process.ready_seconds:.0f} s. {self._last_words(process)}")
            time.sleep(POLL_SECONDS)

    def stop(self, processes: Sequence[Process]) -> list[str]:
        """Stop those that run: SIGTERM to all, then SIGKILL to what is left. The names stopped."""
        running = [process for process in processes if self.is_running(process)]
        for process in running:
            self._signal(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while any(self.is_running(process) for process in running) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        for process in running:
            if self.is_running(process):
                self._signal(process, signal.SIGKILL)
        for process in processes:
            self._pid_file(process.name).unlink(missing_ok=True)
            if process.ready_file is not None:
                process.ready_file.unlink(missing_ok=True)
        return [process.name for process in running]

    def _signal(self, process: Process, number: signal.Signals) -> None:
        record = self._record(process.name)
        if record is not None:
            # Each child leads its own session, so its group holds it and whatever it started.
            with suppress(ProcessLookupError):
                os.killpg(record["pid"], number)

    def _record(self, name: str) -> dict[str, int] | None:
        try:
            record: dict[str, int] = json.loads(self._pid_file(name).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return record

    def _pid_file(self, name: str) -> Path:
        return self.home / "pids" / f"{name}.json"

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"

    def _last_words(self, process: Process) -> str:
        log = self._log(process.name)
        text = log.read_text("utf-8", "replace")[-LOG_TAIL:].strip() if log.exists() else ""
        return f"The end of {log}:\n{text}" if text else f"It said nothing in {log}."


def require_free(port: int, name: str) -> None:
    """Refuse to start a process whose loopback port another program listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as failure:
            raise PortTaken(
                f"{name} cannot start: port {port} on 127.0.0.1 is taken ({failure.strerror}); stop what listens there, "
                "or choose other ports with --port-base"
            ) from None


def _start_time(pid: int) -> int:
    """When the kernel started the process (clock ticks since boot); 0 when it is gone or only waits to be reaped."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    # The command's name, in brackets, may itself hold spaces and brackets; the fields start after the last one.
    fields = text[text.rindex(")") + 2 :].split()
    state, start = fields[0], int(fields[19])
    return 0 if state in ("Z", "X") else start


def _answers(url: str, method: str) -> bool:
    try:
        rpc.request(url, method)
    except rpc.RpcError:
        return False
    return True
