"""The status view: NAV, weights against bands, holdings by chain, what is in flight, and how old everything is."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeVar

from chains.base import Unknown
from chains.ids import ChainId
from chains.tokens import Amount
from coordinator.app import App
from coordinator.ledger.reconcile import Line
from coordinator.saga.machine import LegState
from coordinator.turn import Seen
from coordinator.views.words import Names, percent, usd, whole
from policies.base import Band, Portfolio
from policies.drift import unpriced

_Key = TypeVar("_Key")


def status(app: App, seen: Seen) -> dict[str, Any]:
    """While an asset has no price, NAV, weights and `in_sync` are null; everything else is shown."""
    names, now = Names(app.treasury), app.clock.now()
    folio = seen.portfolio
    priced = not unpriced(folio)
    weights = [*assets(folio, seen), *chains(folio, seen, names)]
    return {
        "schema": "coordinator/status@1",
        "treasury": app.treasury.name,
        "time": now,
        "nav": usd(folio.nav) if priced else None,
        "in_sync": not any(row["out"] for row in weights) if priced else None,
        "decision": {"act": seen.decision.act, "reason": names.told(seen.decision.reason)},
        "assets": assets(folio, seen),
        "chains": [{**row, **_height(seen, row["id"], now)} for row in chains(folio, seen, names)],
        "holdings": _holdings(folio, names),
        "in_flight": [in_flight(leg, names) for saga in seen.open_sagas for leg in saga.legs.values() if not leg.state.ended],
        "prices": [
            {
                "asset": p.asset,
                "usd": usd(p.value) if p.value >= 1 else f"{float(p.value):.6f}",
                "age_s": now - p.time,
                "sources": list(p.sources),
            }
            for p in folio.prices.by_asset.values()
        ],
        "prices_refused": dict(folio.prices.refused),
        "ledger": [_gap(line, names) for line in seen.lines if line.gap],
    }


def assets(folio: Portfolio, seen: Seen) -> list[dict[str, Any]]:
    weights = None if unpriced(folio) else folio.asset_weights()
    return [weight_row(asset, _weight(weights, asset), band) for asset, band in seen.targets.assets.items()]


def chains(folio: Portfolio, seen: Seen, names: Names) -> list[dict[str, Any]]:
    weights = None if unpriced(folio) else folio.chain_weights()
    free = Band(None, None, None)
    return [
        {"id": str(chain), **weight_row(names.chain(chain), _weight(weights, chain), seen.targets.chains.get(chain, free))}
        for chain in seen.heights
    ]


def _weight(weights: Mapping[_Key, Fraction] | None, key: _Key) -> Fraction | None:
    return None if weights is None else weights.get(key, Fraction(0))


def weight_row(name: str, weight: Fraction | None, band: Band) -> dict[str, Any]:
    """One weight against its band, in percent of NAV; `drift` is signed and zero inside. An unknown weight (None) has neither."""
    drift = None if weight is None else band.surplus(weight) - band.deficit(weight)
    row = {"name": name, "weight": percent(weight), "low": percent(band.low), "ideal": percent(band.ideal), "high": percent(band.high)}
    return {**row, "drift": percent(drift), "out": None if drift is None else drift != 0}


def _height(seen: Seen, chain: str, now: int) -> dict[str, Any]:
    height = seen.heights[ChainId.parse(chain)]
    return {"height": height.number, "age_s": max(0, now - height.time)}


def _holdings(folio: Portfolio, names: Names) -> list[dict[str, Any]]:
    rows = []
    for position in folio.positions:
        token, total = position.token, Amount(position.token, position.total)
        priced = token.asset in folio.prices.by_asset
        rows.append(
            {
                "token": str(token.id),
                "name": names.token(token.id),
                "chain": names.chain(token.chain),
                "asset": token.asset,
                "amount": whole(Amount(token, position.held)),
                "units": str(position.held),
                "leaving": whole(Amount(token, position.leaving)),
                "arriving": whole(Amount(token, position.arriving)),
                "usd": usd(folio.prices.value(total)) if priced else None,
            }
        )
    return rows


def in_flight(leg: LegState, names: Names) -> dict[str, Any]:
    """One leg that has not ended, and what it waits for."""
    lane = leg.leg.lane
    return {
        "leg": leg.leg.id,
        "rail": lane.rail,
        "gives": str(leg.leg.gives),
        "source_chain": names.chain(lane.source.chain),
        "target_chain": names.chain(lane.target.chain),
        "state": leg.state.value,
        "detail": leg.parked or (leg.sighted.detail if leg.sighted else ""),
        "needs_you": bool(leg.parked),
    }


def _gap(line: Line, names: Names) -> dict[str, Any]:
    gap = line.gap
    return {
        "token": names.token(line.token),
        "gap_units": None if isinstance(gap, Unknown) else str(gap),
        "under_way": line.under_way,
        "why": gap.reason if isinstance(gap, Unknown) else _why(line),
    }


def _why(line: Line) -> str:
    if line.under_way:
        return "legs are under way"
    return f"could not be looked into: {line.hindered}" if line.hindered else "not explained"
