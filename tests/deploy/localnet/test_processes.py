"""Child processes: started once, recognised later, stopped only when ours."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.localnet.processes import Process, ProcessError, Supervisor

READY = "import sys, pathlib, time; pathlib.Path(sys.argv[1]).write_text('{}'); time.sleep(60)"
DEAF = "import signal, sys, pathlib, time; signal.signal(15, signal.SIG_IGN); " + READY.split("; ", 1)[1]


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    return Supervisor(tmp_path)


def child(home: Path, code: str = READY, name: str = "child") -> Process:
    ready = home / f"{name}.json"
    return Process(name, lambda: [sys.executable, "-c", code, str(ready)], (), ready_file=ready, ready_seconds=30)


def pid_of(home: Path, name: str = "child") -> int:
    return int(json.loads((home / "pids" / f"{name}.json").read_text())["pid"])


def test_start__then_stop__runs_until_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    process = child(tmp_path)
    assert not supervisor.is_running(process)
    supervisor.start(process)
    supervisor.wait_ready(process)
    pid = pid_of(tmp_path)
    assert supervisor.is_ready(process)
    assert supervisor.stop([process]) == ["child"]
    assert not supervisor.is_running(process)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_stop__child_ignores_sigterm__is_killed(supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.localnet.processes.STOP_SECONDS", 0.2)
    process = child(tmp_path, DEAF)
    supervisor.start(process)
    supervisor.wait_ready(process)
    supervisor.stop([process])
    assert not supervisor.is_running(process)


def test_stop__pid_now_belongs_to_a_stranger__stranger_lives(supervisor: Supervisor, tmp_path: Path) -> None:
    process = child(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as stranger:
        (tmp_path / "pids").mkdir()
        (tmp_path / "pids/child.json").write_text(json.dumps({"pid": stranger.pid, "started": 1}))
        assert not supervisor.is_running(process)
        assert supervisor.stop([process]) == []
        assert stranger.poll() is None
        stranger.kill()


def test_is_running__killed_child__is_false(supervisor: Supervisor, tmp_path: Path) -> None:
    process = child(tmp_path)
    supervisor.start(process)
    supervisor.wait_ready(process)
    os.kill(pid_of(tmp_path), 9)
    for _ in range(200):
        if not supervisor.is_running(process):
            break
        time.sleep(0.05)
    assert not supervisor.is_running(process)
    assert not supervisor.is_ready(process)


def test_wait_ready__child_dies__shows_the_end_of_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    process = child(tmp_path, "raise SystemExit('no disk left')")
    supervisor.start(process)
    with pytest.raises(ProcessError, match=r"child stopped while starting(.|\n)*no disk left"):
        supervisor.wait_ready(process)


def test_start__stale_ready_file__does_not_count(supervisor: Supervisor, tmp_path: Path) -> None:
    process = child(tmp_path, "import time; time.sleep(60)")
    (tmp_path / "child.json").write_text("{}")
    supervisor.start(process)
    assert supervisor.is_running(process)
    assert not supervisor.is_ready(process)
    supervisor.stop([process])


def test_start__port_is_taken__names_port_and_remedy(supervisor: Supervisor, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        process = Process("alpha", lambda: ["/bin/false"], (port,))
        with pytest.raises(ProcessError, match=f"alpha cannot start: port {port} on 127.0.0.1 is taken.*--port-base"):
            supervisor.start(process)
    assert not (tmp_path / "pids").exists()
