"""Fixtures of every test: the local network of real contracts, started once a session when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.localnet import Network

PORT_BASE = 18900


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--localnet-home", help="use the local network that is up in this folder, and leave it up")
    parser.addoption("--localnet-port-base", type=int, default=PORT_BASE, help="ports of the network that the session starts")


@pytest.fixture(scope="session")
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    home = request.config.getoption("--localnet-home")
    if home:
        yield Network.open(Path(home))
        return
    started = Network.up(tmp_path_factory.mktemp("localnet"), request.config.getoption("--localnet-port-base"))
    yield started
    started.down()
