"""web3 over the pool: it never sends, never follows a redirect of a contract, and pins state to a block hash."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from hexbytes import HexBytes

from chains.endpoint import Refused
from chains.evm.provider import web3_over

from .conftest import OTHER, SENDER


async def test_web3__asked_to_send__refuses_before_anything_is_asked() -> None:
    asked: list[str] = []

    async def ask(method: str, params: list[Any], form: object) -> Any:
        asked.append(method)

    with pytest.raises(TypeError, match=r"must go through EndpointPool\.broadcast"):
        await web3_over(ask).eth.send_raw_transaction(HexBytes("0x02"))
    assert asked == []


async def test_web3__state_at_a_block_hash__asks_for_the_canonical_block_only() -> None:
    seen: list[Any] = []

    async def ask(method: str, params: list[Any], form: object) -> Any:
        seen.append(params)
        return "0x07"

    web3 = web3_over(ask)
    await web3.eth.call({"to": OTHER.address, "data": HexBytes("0x01")}, HexBytes("0x" + "ab" * 32))
    await web3.eth.get_transaction_count(SENDER.address, HexBytes("0x" + "ab" * 32))
    assert [params[1] for params in seen] == [{"blockHash": "0x" + "ab" * 32, "requireCanonical": True}] * 2
    assert seen[0][0] == {"to": OTHER.address, "data": "0x01"}


async def test_web3__contract_asks_for_an_offchain_lookup__no_url_is_followed() -> None:
    asked: list[str] = []
    lookup = encode(
        ["address", "string[]", "bytes", "bytes4", "bytes"], [OTHER.address, ["https://127.0.0.1:9/{data}"], b"", b"\0" * 4, b""]
    )

    async def ask(method: str, params: list[Any], form: object) -> Any:
        asked.append(method)
        raise Refused("a", 3, "execution reverted", "0x556f1830" + lookup.hex())

    with pytest.raises(Refused):
        await web3_over(ask).eth.call({"to": OTHER.address, "data": HexBytes("0x01")})
    assert asked == ["eth_call"]
