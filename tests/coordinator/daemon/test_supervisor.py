"""Words to systemd, over a real datagram socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.config.environment import supervisor
from coordinator.daemon.supervisor import Supervisor


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Listens as systemd does."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(address)
        line.settimeout(5)
        yield line, address


def test_words__somebody_listens__one_datagram_each_as_sd_notify_says(systemd):
    line, address = systemd
    told = Supervisor(address)
    told.ready("demo")
    told.status("waits:\nevery band\nholds")
    told.alive()
    told.stopping()
    heard = [line.recv(4096).decode() for _ in range(4)]
    assert heard == ["READY=1\nSTATUS=demo", "STATUS=waits: every band holds", "WATCHDOG=1", "STOPPING=1"]


def test_words__abstract_socket__reached():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0coordinator-test-notify")
        line.settimeout(5)
        Supervisor("@coordinator-test-notify").alive()
        assert line.recv(100) == b"WATCHDOG=1"


def test_words__nobody_listens__no_error(tmp_path: Path):
    Supervisor(str(tmp_path / "gone")).ready("demo")
    Supervisor().alive()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (None, None)),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "300000000"}, ("/run/x", 300.0)),
        ({"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "0"}, (None, None)),
        ({"WATCHDOG_USEC": "-5"}, (None, None)),
        ({"WATCHDOG_USEC": "soon"}, (None, None)),
    ],
)
def test_environment__what_systemd_sets__read(environment, expected):
    assert supervisor(environment) == expected


def test_every__patience__half_of_it():
    assert Supervisor("x", 300.0).every == 150.0
    assert Supervisor("x").every is None
