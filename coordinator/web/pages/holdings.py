"""Holdings: what lies where, asset by chain, with the tokens behind each sum."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from coordinator.views.words import percent, usd
from coordinator.web.watcher import Watcher


def holdings(watcher: Watcher) -> dict[str, Any]:
    seen, status = watcher.glance.seen, watcher.glance.status
    if seen is None or status is None:
        return {"status": None}
    rows = status["holdings"]
    assets = list(dict.fromkeys(row["asset"] for row in rows))
    chains = [row["name"] for row in status["chains"]]
    cells = {(asset, chain): _sum(rows, asset, chain) for asset in (*assets, None) for chain in (*chains, None)}
    nav = Fraction(status["nav"]) if status["nav"] is not None else None
    forms = {str(token): form for token, form in watcher.app.treasury.forms.items()}
    return {
        "status": status,
        "assets": assets,
        "chains": chains,
        "cells": {key: _cell(value, nav) for key, value in cells.items()},
        "rows": [{**row, "form": forms.get(row["token"], "")} for row in rows],
        "prices": {row["asset"]: {**row, "age_s": row["age_s"] + watcher.passed} for row in status["prices"]},
    }


def _sum(rows: list[dict[str, Any]], asset: str | None, chain: str | None) -> Fraction | None:
    """USD of everything that fits; None when nothing does or a price is missing."""
    fitting = [row["usd"] for row in rows if asset in {None, row["asset"]} and chain in {None, row["chain"]}]
    if not fitting or any(value is None for value in fitting):
        return None
    return sum((Fraction(value) for value in fitting), Fraction(0))


def _cell(value: Fraction | None, nav: Fraction | None) -> dict[str, Any]:
    """`heat`: 0 to 5, how much of NAV it is."""
    share = value / nav if value is not None and nav else None
    heat = 0 if not share else 1 + sum(share > edge for edge in (Fraction(1, 50), Fraction(1, 20), Fraction(1, 8), Fraction(1, 4)))
    return {"usd": usd(value) if value is not None else None, "share": percent(share), "heat": heat}
