"""Fixtures of every test: the local network of real contracts, started once a session when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.localnet import Network

PORT_BASE = 18900
PORTS_A_NETWORK = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--localnet-home", help="use the local network that is up in this folder, and leave it up")
    parser.addoption("--localnet-port-base", type=int, default=PORT_BASE, help="ports of the network that the session starts")


@pytest.fixture(scope="session")
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    home = request.config.getoption("--localnet-home")
    if home:
        yield Network.open(Path(home))
        return
    base = request.config.getoption("--localnet-port-base") + PORTS_A_NETWORK * _worker(request.config)
    started = Network.up(tmp_path_factory.mktemp("localnet"), base)
    yield started
    started.down()


def _worker(config: pytest.Config) -> int:
    """Which of the parallel test processes this is (pytest-xdist calls them gw0, gw1, …); each has a network of its own."""
    name = getattr(config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


SLOW_FIRST = ("localnet", "simulation", "contract")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that two processes end together."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return SLOW_FIRST.index(folder) if folder in SLOW_FIRST else len(SLOW_FIRST)

    items.sort(key=place)
