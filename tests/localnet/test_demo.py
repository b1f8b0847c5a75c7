"""The demo, whole: what its report claims, held against the chains themselves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chains.ids import TokenId
from coordinator.config.load import load
from deploy.demo import run as demo_run
from deploy.localnet import Network
from deploy.localnet.rpc import request
from tests.localnet.effects import Witness

pytestmark = pytest.mark.localnet

KEYS = {"bands_met", "nav", "weights_before", "weights_after", "hops", "hops_bound", "cost", "legs", "residual_units", "seconds"}
LEG_KEYS = {"kind", "rail", "source_chain", "target_chain", "gives", "takes", "transactions"}
ASSET_BANDS = {"USDC": (48, 56), "ETH": (23, 29), "BTC": (11, 15), "SOL": (Decimal("3.5"), Decimal("5.5"))}
CHAIN_BANDS = {"alpha": (0, 50), "beta": (15, 45), "gamma": (9, 100), "solana": (12, 30)}
ROUNDING = Decimal("0.01")  # weights are shown with two decimals


@dataclass
class Demo:
    """One run: its report and plan, and the witness that looked at the chains before anything was sent."""

    network: Network
    report: dict[str, Any]
    plan: dict[str, Any]
    witness: Witness


@pytest.fixture(scope="module")
def demo(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    network.reset()
    report, folder = tmp_path_factory.mktemp("demo") / "demo-report.json", network.home / "demo"
    witnesses: list[Witness] = []

    def watched(folder: Path) -> dict[str, Any]:
        accounts = load(folder / "treasury.yaml").accounts.items()
        evm, solana = (next(a.address for chain, a in accounts if chain.namespace == name) for name in ("eip155", "solana"))
        witnesses.append(Witness(network.book, evm, solana))
        return rebalance(folder)

    rebalance = demo_run.rebalance
    with pytest.MonkeyPatch.context() as between:
        between.setattr(demo_run, "rebalance", watched)
        assert demo_run.run(network.home, port_base=network.ports.base, report=report) == 0
    plan = json.loads((folder / "plan.json").read_text("utf-8"))["plan"]
    return Demo(network, json.loads(report.read_text("utf-8")), plan, witnesses[0])


def test_report__keys__are_those_promised_with_their_types(demo: Demo):
    report = demo.report
    assert set(report) >= KEYS
    assert report["bands_met"] is True
    assert type(report["hops"]) is type(report["hops_bound"]) is int
    assert all(re.fullmatch(r"-?\d+\.\d\d", report[name]) for name in ("nav", "cost"))
    assert report["weights_before"].keys() == report["weights_after"].keys() == ASSET_BANDS.keys()
    assert report["seconds"] > 0


def test_report__legs__name_kind_rail_ends_amounts_and_transactions(demo: Demo):
    legs = demo.report["legs"]
    chains = set(demo.network.book["chains"])
    assert len(legs) == len(demo.plan["legs"])
    for leg in legs:
        assert set(leg) >= LEG_KEYS
        assert leg["kind"] == ("swap" if leg["source_chain"] == leg["target_chain"] else "bridge")
        assert {leg["source_chain"], leg["target_chain"]} <= chains
        assert all(re.fullmatch(r"[\d,]+(\.\d+)? [A-Z]+", leg[side]) for side in ("gives", "takes"))
        assert leg["transactions"]
    bridges = [leg for leg in legs if leg["kind"] == "bridge"]
    assert any(leg["rail"] == "cctp" for leg in bridges)
    assert any("solana" in leg["source_chain"] + leg["target_chain"] for leg in bridges)
    assert len({leg["source_chain"] for leg in legs if leg["kind"] == "swap"}) >= 2


def test_report__hops__are_the_proven_minimum(demo: Demo):
    report = demo.report
    assert report["hops"] == report["hops_bound"] == sum(leg["kind"] == "bridge" for leg in report["legs"]) >= 2


def test_report__weights__inside_the_bands_afterwards_and_not_before(demo: Demo):
    def outside(weights: dict[str, str], bands: dict[str, tuple]) -> list[str]:
        return [name for name, (low, high) in bands.items() if not low - ROUNDING <= Decimal(weights[name]) <= high + ROUNDING]

    report = demo.report
    assert outside(report["weights_after"], ASSET_BANDS) == outside(report["chain_weights_after"], CHAIN_BANDS) == []
    assert {"ETH", "BTC", "SOL"} <= set(outside(report["weights_before"], ASSET_BANDS))
    assert {"alpha", "gamma", "solana"} <= set(outside(report["chain_weights_before"], CHAIN_BANDS))
    assert sum(Decimal(weight) for weight in report["chain_weights_after"].values()) == pytest.approx(100, abs=0.05)


def test_report__residual_units__zero_for_every_token_on_every_chain(demo: Demo):
    residual = demo.report["residual_units"]
    assert set(residual.values()) == {"0"}
    tokens = [TokenId.parse(name) for name in residual]
    assert {str(token.chain) for token in tokens} == set(demo.network.book["chains"])
    for chain, book in demo.network.book["chains"].items():
        here = [token for token in tokens if str(token.chain) == chain]
        assert sum(token.is_native for token in here) == 1
        listed = set(book["contracts"].values()) if "contracts" in book else set(book["mints"].values())
        wanted = {"USDC", "WETH", "WBTC"} if "contracts" in book else {"USDC", "PYUSD"}
        assert len([token for token in here if token.reference in listed]) == len(wanted)


def test_chains__asked_without_our_code__every_effect_once_and_every_balance_as_it_must_be(demo: Demo):
    """Neither our code nor our database is asked: balances, logs, nonces and signatures by plain JSON-RPC."""
    found = demo.witness.findings(demo.plan["legs"])
    assert found.problems() == []
    assert found.seen == found.wanted


def test_chains__every_transaction_that_the_report_names__is_there_and_succeeded(demo: Demo):
    for leg in demo.report["legs"]:
        for reference in leg["transactions"]:
            chains = {leg["source_chain"], leg["target_chain"]}
            assert any(succeeded(demo.network.book["chains"][chain], reference) for chain in chains), reference


def succeeded(chain: dict[str, Any], reference: str) -> bool:
    if "contracts" in chain:
        receipt = request(chain["rpc"][0], "eth_getTransactionReceipt", reference) if reference.startswith("0x") else None
        return receipt is not None and int(receipt["status"], 16) == 1
    if reference.startswith("0x"):
        return False
    (status,) = request(chain["rpc"][0], "getSignatureStatuses", [reference], {"searchTransactionHistory": True})["value"]
    return status is not None and status["err"] is None and status["confirmationStatus"] == "finalized"


def test_witness__a_leg_done_twice_or_not_at_all__would_be_seen(demo: Demo):
    legs = demo.plan["legs"]
    for number in (0, len(legs) // 2, len(legs) - 1):
        leg = legs[number]
        done_beside_the_plan = demo.witness.findings([*legs[:number], *legs[number + 1 :]])
        assert len(done_beside_the_plan.double) >= 2, leg
        not_done = demo.witness.findings([*legs, leg])
        assert len(not_done.lost) >= 2, leg
        assert done_beside_the_plan.problems()
        assert not_done.problems()


def test_witness__a_stranger_pays_in__would_be_seen(demo: Demo):
    account = demo.plan["legs"][0]["leg"]["sender"].rsplit(":", 1)[-1]
    demo.network.evm("beta").deal("WBTC", account, 1)
    assert demo.witness.findings(demo.plan["legs"]).problems()
