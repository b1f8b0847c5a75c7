"""The signer's desk against a coordinator that asks for anything: what it signed keeps to every window, and the journal says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.signer.journal import Journal
from coordinator.signer.keyfiles import Sealed
from coordinator.signer.serving import Desk
from coordinator.signer.spending import Spending
from coordinator.signer.verdict import Refused
from tests.coordinator.signer.genuine import Genuine
from tests.coordinator.signer.hostile import Clock, besiege, excesses
from tests.coordinator.signer.world import World

REQUESTS = 3_000


def test_sign__hostile_coordinator__nothing_elsewhere_and_no_window_above_its_cap(
    made: World, all_genuine: list[Genuine], tmp_path: Path
) -> None:
    siege = besiege(made, all_genuine, REQUESTS, 28, tmp_path / "j")
    assert siege.foreign == []
    assert len(siege.entries) == siege.signed > 100
    assert excesses(siege.entries, made.policy) == []


def test_sign__windows_that_forget__are_found_out(
    made: World, all_genuine: list[Genuine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Spending, "add", lambda self, spend: None)
    assert excesses(besiege(made, all_genuine, 1_000, 28, tmp_path / "j").entries, made.policy)


def test_sign__journal_that_cannot_be_written__no_signature(made: World, all_genuine: list[Genuine], tmp_path: Path) -> None:
    given: list[bytes] = []
    keys = {account: Sealed(account, lambda unsigned: given.append(unsigned) or b"") for account in made.policy.accounts}
    journal = Journal(tmp_path / "j")
    desk = Desk(made.policy, keys, journal, Clock())
    journal.close()
    with pytest.raises(OSError, match="descriptor"):
        desk.sign(all_genuine[0].account, all_genuine[0].unsigned, "")
    assert given == []


def test_sign__account_without_key__is_refused(made: World, all_genuine: list[Genuine], tmp_path: Path) -> None:
    desk = Desk(made.policy, {}, Journal(tmp_path / "j"), Clock())
    with pytest.raises(Refused, match="has no key here"):
        desk.sign(all_genuine[0].account, all_genuine[0].unsigned, "")
