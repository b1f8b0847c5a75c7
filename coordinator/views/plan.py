"""The plan view: before and after, every leg with its cost and why, and where the value is if the leg stops there."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from chains.tokens import AssetId
from coordinator.drafting import after
from coordinator.offers import fees
from coordinator.plan import Plan, PlannedLeg
from coordinator.views.words import Names, percent, usd, whole
from policies.base import Band, Portfolio


def plan(plan: Plan, names: Names) -> dict[str, Any]:
    then = after(plan)
    return {
        "schema": "coordinator/plan-view@1",
        "id": plan.id,
        "treasury": plan.treasury,
        "created": plan.created,
        "expires": plan.expires,
        "status": plan.status,
        "continues": plan.continues,
        "nav": usd(plan.before.nav),
        "violation": usd(plan.violation),
        "hops": plan.hops,
        "hops_bound": plan.hops_bound,
        "cost": {
            "network": usd(plan.cost.network),
            "bridge": usd(plan.cost.bridge),
            "slippage": usd(plan.cost.slippage),
            "total": usd(plan.cost.total),
        },
        "assets": _shifts(plan.targets.assets, plan.before.asset_weights(), then.asset_weights()),
        "chains": [
            _shift(names.chain(chain), plan.targets.chains.get(chain), weight, then.chain_weights().get(chain, Fraction(0)))
            for chain, weight in plan.before.chain_weights().items()
        ],
        "legs": [leg(number, planned, plan.before, names) for number, planned in enumerate(plan.legs)],
        "unmet": [{"target": one.target, "short": usd(one.short), "why": one.why} for one in plan.unmet],
    }


def _shifts(bands: Mapping[AssetId, Band], before: Mapping[AssetId, Fraction], then: Mapping[AssetId, Fraction]) -> list[dict[str, Any]]:
    return [_shift(asset, band, before.get(asset, Fraction(0)), then.get(asset, Fraction(0))) for asset, band in bands.items()]


def _shift(name: str, band: Band | None, before: Fraction, then: Fraction) -> dict[str, Any]:
    limits = band or Band(None, None, None)
    return {
        "name": name,
        "before": percent(before),
        "after": percent(then),
        "low": percent(limits.low),
        "high": percent(limits.high),
        "out_before": not limits.holds(before),
        "out_after": not limits.holds(then),
    }


def leg(number: int, planned: PlannedLeg, before: Portfolio, names: Names) -> dict[str, Any]:
    lane, quote = planned.leg.lane, planned.quote
    lost = before.prices.value(quote.gives) - before.prices.value(quote.takes)
    return {
        "number": number + 1,
        "id": planned.leg.id,
        "kind": lane.kind,
        "rail": lane.rail,
        "lane": lane.id,
        "source_chain": names.chain(lane.source.chain),
        "target_chain": names.chain(lane.target.chain),
        "gives": str(quote.gives),
        "takes": str(quote.takes),
        "least": str(planned.leg.least),
        "gives_units": str(quote.gives.units),
        "takes_units": str(quote.takes.units),
        "cost": usd(lost + fees(quote, before.prices)),
        "fees": [f"{whole(fee)} {fee.token.asset}" for fee in quote.fees],
        "eta_s": quote.latency_s,
        "after": [index + 1 for index in planned.after],
        "why": planned.why,
        "if_it_stops": _rest(planned, names),
    }


def _rest(planned: PlannedLeg, names: Names) -> str:
    lane, gives = planned.leg.lane, planned.quote.gives
    source, target = names.chain(lane.source.chain), names.chain(lane.target.chain)
    if lane.kind == "swap":
        return f"{gives} stays on {source}: a swap happens whole or not at all"
    return (
        f"before it leaves: {gives} stays on {source}; after: in transit by {lane.rail} to {target}, finished by coordinator apply --resume"
    )
