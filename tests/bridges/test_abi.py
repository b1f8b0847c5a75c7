"""ABI: calldata and topics as every Ethereum tool writes them, and answers that are not what they should be."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from bridges.abi import ask, calldata, topic, word
from chains.base import Call
from chains.errors import Misconfigured
from chains.ids import ChainId

CALL = Call(ChainId.parse("eip155:31337001"), "0x" + "1" * 40, b"", "read the limit")


class Answering:
    """A reader that answers every call with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    async def read(self, call: Call) -> bytes:
        return self.answer


def test_calldata__transfer__is_the_published_example():
    # The ERC-20 transfer selector and argument layout, as in the Solidity ABI specification.
    data = calldata("transfer", ["address", "uint256"], ["0x" + "1" * 40, 5])
    assert data.hex() == "a9059cbb" + "0" * 24 + "1" * 40 + "0" * 63 + "5"


def test_topic__transfer__is_the_published_hash():
    assert topic("Transfer(address,address,uint256)") == "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


def test_word__address__has_zeros_in_front():
    assert word("0x" + "1" * 40).hex() == "0" * 24 + "1" * 40


async def test_ask__answer_of_the_right_shape__is_decoded():
    assert await ask(Answering(encode(["uint256", "bool"], [7, True])), CALL, ["uint256", "bool"]) == (7, True)


async def test_ask__address__carries_its_checksum():
    address = "0x52908400098527886E0F7030069857D2E4169EE7"  # from EIP-55
    assert await ask(Answering(encode(["address"], [address])), CALL, ["address"]) == (address,)


@pytest.mark.parametrize("answer", [b"", b"\x01" * 31])
async def test_ask__nothing_there_or_something_else__is_misconfigured(answer):
    with pytest.raises(Misconfigured, match="check its address"):
        await ask(Answering(answer), CALL, ["uint256"])
