"""The demo's report: what happened, as data, and whether it is what the demo claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coordinator.config.load import load


def report_of(folder: Path, outcome: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The report from the commands' own `--json` output."""
    plan, after = outcome["plan"], outcome["after"]
    chains = {settings.name: str(id_) for id_, settings in load(folder / "treasury.yaml").chains.items()}
    return {
        "bands_met": after["in_sync"],
        "nav": after["nav"],
        "weights_before": _weights(outcome["before"]["assets"]),
        "weights_after": _weights(after["assets"]),
        "chain_weights_before": _weights(outcome["before"]["chains"]),
        "chain_weights_after": _weights(after["chains"]),
        "hops": plan["hops"],
        "hops_bound": plan["hops_bound"],
        "cost": plan["cost"]["total"],
        "legs": [_leg(row, chains) for row in outcome["applied"]["transfers"]],
        "residual_units": outcome["applied"]["residual_units"],
        "seconds": seconds,
    }


def _weights(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Percent of NAV by name."""
    return {row["name"]: row["weight"] for row in rows}


def _leg(row: dict[str, Any], chains: dict[str, str]) -> dict[str, Any]:
    kept = {key: row[key] for key in ("kind", "rail", "state", "gives", "takes", "gives_units", "takes_units", "transactions")}
    return {**kept, "source_chain": chains[row["source_chain"]], "target_chain": chains[row["target_chain"]]}


def judge(report: dict[str, Any]) -> list[str]:
    """What is not as the demo claims; empty when all of it holds."""
    legs = report["legs"]
    hops = [leg for leg in legs if leg["kind"] == "bridge"]
    swaps = {leg["source_chain"] for leg in legs if leg["kind"] == "swap"}
    open_units = {token: units for token, units in report["residual_units"].items() if units != "0"}
    claims = {
        "a band is not met": report["bands_met"],
        f"{report['hops']} hops where {report['hops_bound']} are proven enough": report["hops"] == report["hops_bound"],
        "a leg was not delivered": all(leg["state"] == "delivered" for leg in legs),
        "no CCTP transfer": any(leg["rail"] == "cctp" for leg in hops),
        "no transfer between EVM and Solana": any("solana" in leg["source_chain"] + leg["target_chain"] for leg in hops),
        "fewer than two swaps on different chains": len(swaps) >= 2,
        f"ledger and chains differ: {open_units}": not open_units and bool(report["residual_units"]),
    }
    return [problem for problem, holds in claims.items() if not holds]
