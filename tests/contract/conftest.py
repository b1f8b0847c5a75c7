"""The fixture `case`: every implementation in turn, those of the local network only when it may be started."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.contract.cases import table


def _params(always: Mapping[str, Any], localnet: Mapping[str, Any]) -> list[Any]:
    return [
        *(pytest.param((build, False), id=name) for name, build in always.items()),
        *(pytest.param((build, True), id=name, marks=pytest.mark.localnet) for name, build in localnet.items()),
    ]


@pytest.fixture(params=_params(table.CHAINS, table.LOCALNET_CHAINS))
async def chain_case(request: pytest.FixtureRequest) -> AsyncIterator[table.ChainCase]:
    build, localnet = request.param
    async with build(request.getfixturevalue("network")) if localnet else build() as case:
        yield case


@pytest.fixture(params=_params(table.RAILS, table.LOCALNET_RAILS))
async def rail_case(request: pytest.FixtureRequest) -> AsyncIterator[table.RailCase]:
    build, localnet = request.param
    async with build(request.getfixturevalue("network")) if localnet else build() as case:
        yield case
