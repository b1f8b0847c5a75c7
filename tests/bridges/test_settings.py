"""Rail settings: what is accepted, and what each refusal says."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from pydantic import ValidationError

from bridges.settings import CctpSettings, UniswapSettings
from chains.ids import ChainId

ALPHA, BETA = "eip155:31337001", "eip155:31337002"
A1, A2, A3 = ("0x" + digit * 40 for digit in "123")
CCTP = {
    "iris": "http://127.0.0.1:18850/",
    "chains": {
        ALPHA: {"domain": 0, "token_messenger": A1, "message_transmitter": A2, "usdc": f"{ALPHA}/erc20:{A3}"},
        BETA: {"domain": 6, "token_messenger": A1, "message_transmitter": A2, "usdc": f"{BETA}/erc20:{A3}"},
    },
}
UNISWAP = {"chains": {ALPHA: {"router": A1, "quoter": A2, "factory": A3, "pairs": [[f"{ALPHA}/erc20:{A1}", f"{ALPHA}/erc20:{A2}"]]}}}


def test_cctp__as_documented__is_read_with_defaults():
    settings = CctpSettings.model_validate(CCTP)
    assert settings.iris == "http://127.0.0.1:18850"
    assert settings.lanes == ("standard", "fast")
    assert settings.fast_buffer_bps == Decimal("0.5")
    assert settings.chains[ChainId.parse(BETA)].domain == 6


def test_cctp__unquoted_decimal__is_read_as_written():
    assert CctpSettings.model_validate({**CCTP, "fast_buffer_bps": 0.1}).fast_buffer_bps == Decimal("0.1")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("chains", BETA, "domain"), 0, "both claim CCTP domain 0"),
        (("chains", BETA, "domain"), 2**32, "less than 4294967296"),
        (("chains", BETA, "usdc"), f"{ALPHA}/erc20:{A3}", "name the USDC of eip155:31337002"),
        (("chains", BETA, "usdc"), "USDC", "is not a token id"),
        (("chains", BETA, "token_messenger"), "0x52908400098527886e0f7030069857d2e4169ee7", "EIP-55 checksum"),
        (("chains", BETA, "token_mesenger"), A1, "Extra inputs are not permitted"),
        (("iris",), "iris-api.circle.com", "is not an API's address"),
        (("lanes",), ["slow"], "'standard' or 'fast'"),
        (("minimum",), "-1", "greater than or equal to 0"),
        (("fast_buffer_bps",), "NaN", "finite number"),
        (("chains", "solana:11111111111111111111111111111111"), {}, "not of the eip155 family"),
    ],
)
def test_cctp__wrong_value__is_refused_with_its_reason(path, value, message):
    wrong = copy.deepcopy(CCTP)
    inner = wrong
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ValidationError, match=message):
        CctpSettings.model_validate(wrong)


def test_cctp__one_chain_only__is_refused():
    with pytest.raises(ValidationError, match="at least 2"):
        CctpSettings.model_validate({"chains": {ALPHA: CCTP["chains"][ALPHA]}})


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "at least 1"),
        ([[f"{ALPHA}/erc20:{A1}", f"{ALPHA}/erc20:{A1}"]], "two different tokens"),
        ([[f"{ALPHA}/erc20:{A1}", f"{ALPHA}/slip44:60"]], "wrap a native coin"),
        ([[f"{ALPHA}/erc20:{A1}", f"{BETA}/erc20:{A2}"]], "not an ERC-20 of eip155:31337001"),
        ([[f"{ALPHA}/erc20:{A1}", f"{ALPHA}/erc20:{A2}"], [f"{ALPHA}/erc20:{A2}", f"{ALPHA}/erc20:{A1}"]], "listed twice"),
    ],
)
def test_uniswap__wrong_pairs__are_refused_with_their_reason(pairs, message):
    wrong = copy.deepcopy(UNISWAP)
    wrong["chains"][ALPHA]["pairs"] = pairs
    with pytest.raises(ValidationError, match=message):
        UniswapSettings.model_validate(wrong)


def test_uniswap__as_documented__is_read_with_defaults():
    settings = UniswapSettings.model_validate(UNISWAP)
    assert settings.chains[ChainId.parse(ALPHA)].fee_tiers == (100, 500, 3000, 10000)
    assert settings.max_impact_bps == 100
