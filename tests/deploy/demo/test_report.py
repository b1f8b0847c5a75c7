"""The demo's judge: each claim of the demo fails on its own when it does not hold."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from deploy.demo.report import judge

SOLANA = "solana:SimuLated11111111111111111111111"
ALPHA, BETA = "eip155:31337001", "eip155:31337002"


def leg(kind: str, rail: str, source: str, target: str) -> dict[str, Any]:
    return {"kind": kind, "rail": rail, "state": "delivered", "source_chain": source, "target_chain": target}


GOOD: dict[str, Any] = {
    "bands_met": True,
    "hops": 2,
    "hops_bound": 2,
    "legs": [
        leg("bridge", "cctp", ALPHA, BETA),
        leg("bridge", "hyperlane", ALPHA, SOLANA),
        leg("swap", "uniswap", ALPHA, ALPHA),
        leg("swap", "uniswap", BETA, BETA),
    ],
    "residual_units": {"a": "0", "b": "0"},
}


def broken(name: str) -> dict[str, Any]:
    report = deepcopy(GOOD)
    match name:
        case "band":
            report["bands_met"] = False
        case "hops":
            report["hops"] = 3
        case "undelivered":
            report["legs"][2]["state"] = "abandoned"
        case "no cctp":
            report["legs"][0]["rail"] = "hyperlane"
        case "no solana":
            report["legs"][1]["target_chain"] = BETA
        case "swaps on one chain":
            report["legs"][3] |= {"source_chain": ALPHA, "target_chain": ALPHA}
        case "residual":
            report["residual_units"]["b"] = "-1"
        case "unknown residual":
            report["residual_units"]["b"] = "unknown"
        case "no residuals":
            report["residual_units"] = {}
    return report


def test_judge__all_as_claimed__finds_nothing():
    assert judge(GOOD) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("band", "a band is not met"),
        ("hops", "3 hops where 2 are proven enough"),
        ("undelivered", "a leg was not delivered"),
        ("no cctp", "no CCTP transfer"),
        ("no solana", "no transfer between EVM and Solana"),
        ("swaps on one chain", "fewer than two swaps on different chains"),
        ("residual", "'b': '-1'"),
        ("unknown residual", "unknown"),
        ("no residuals", "ledger and chains differ"),
    ],
)
def test_judge__one_claim_does_not_hold__names_it_alone(name: str, said: str):
    (problem,) = judge(broken(name))
    assert said in problem
