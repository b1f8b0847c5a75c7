"""Fixtures of the signer's tests: one treasury with every rail, its gate, and every genuine transaction."""

from __future__ import annotations

import asyncio

import pytest

from coordinator.signer.gate import Gate
from tests.coordinator.signer.genuine import Genuine, genuine
from tests.coordinator.signer.world import World, world


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="session")
def gate(made: World) -> Gate:
    return Gate(made.policy)


@pytest.fixture(scope="session")
def all_genuine(made: World) -> list[Genuine]:
    return asyncio.run(genuine(made.treasury))
