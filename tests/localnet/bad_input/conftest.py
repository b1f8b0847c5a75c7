"""Fixtures of the bad-input table: the treasury, made once a session, and a copy of it for every case."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.localnet import Network
from tests.localnet.bad_input.bench import Treasury, copy_of, prepare


@pytest.fixture(scope="session")
def prepared(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Treasury:
    return prepare(network, tmp_path_factory.mktemp("treasury"))


@pytest.fixture
def treasury(prepared: Treasury, tmp_path: Path) -> Treasury:
    return copy_of(prepared, tmp_path / "treasury")
