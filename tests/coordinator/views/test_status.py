"""The status view of a treasury in memory, with and without all of its prices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coordinator.turn import look
from coordinator.views.status import status
from tests.coordinator import rehearsal
from tests.coordinator.rehearsal import Rehearsal


async def view(made: Rehearsal) -> dict[str, Any]:
    async with made.session().app() as app:
        return status(app, await look(app))


async def test_status__all_prices__weights_add_up_and_the_drift_is_said(tmp_path: Path) -> None:
    shown = await view(Rehearsal(tmp_path))

    assert (shown["nav"], shown["in_sync"]) == ("16000.00", False)
    assert [(row["name"], row["weight"], row["out"]) for row in shown["assets"]] == [("USDC", "62.50", False)]
    assert [(row["name"], row["weight"], row["drift"]) for row in shown["chains"]] == [
        ("alpha", "75.00", "0.00"),
        ("beta", "25.00", "-15.00"),
    ]


async def test_status__asset_without_a_price__is_unknown_and_the_rest_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = rehearsal.TEXT.replace('value: "3000", until: "2100', 'value: "3000", until: "2000')
    monkeypatch.setattr(rehearsal, "TEXT", ended)

    shown = await view(Rehearsal(tmp_path))

    assert (shown["nav"], shown["in_sync"]) == (None, None)
    assert {row["weight"] for row in (*shown["assets"], *shown["chains"])} == {None}
    assert {row["out"] for row in (*shown["assets"], *shown["chains"])} == {None}
    assert "ended" in shown["prices_refused"]["ETH"]
    assert {row["name"]: row["usd"] for row in shown["holdings"]} == {
        "alpha.USDC": "9000.00",
        "alpha.ETH": None,
        "beta.USDC": "1000.00",
        "beta.ETH": None,
    }
    assert shown["decision"]["act"] is False
