"""Keccak and EIP-55, against published vectors."""

from __future__ import annotations

import pytest

from chains.keccak import checksummed, keccak_256, selector, topic


def test_keccak__empty_text__is_ethereums_and_not_sha3() -> None:
    assert keccak_256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_selector_and_topic__erc20__as_published() -> None:
    assert selector("transfer(address,uint256)").hex() == "a9059cbb"
    assert topic("Transfer(address,address,uint256)") == "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


@pytest.mark.parametrize(
    "address",  # the examples of https://eips.ethereum.org/EIPS/eip-55
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
    ],
)
def test_checksummed__examples_of_the_standard__as_written(address: str) -> None:
    assert checksummed(address.lower()) == checksummed(address) == address


@pytest.mark.parametrize("text", ["0x", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x" + "00" * 19, "0x" + "00" * 21, "0x" + "zz" * 20])
def test_checksummed__no_address__refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"EVM|hex"):
        checksummed(text)
