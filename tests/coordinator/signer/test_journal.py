"""The signer's journal: it goes on where it was, and whoever changes it is found out."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from coordinator.signer.journal import Damaged, Journal
from coordinator.signer.spending import Spend
from coordinator.signer.verdict import Effect, Verdict


def filled(path: Path, lines: int = 5) -> None:
    journal = Journal(path)
    for number in range(lines):
        spend = Spend(100 + number, {"token": 10**20 + number}, Fraction(number, 3), Fraction(1, 7))
        journal.append("account", bytes([number]), Verdict((Effect("burn", "token", 1),), "coin", 5), spend, "why")
    journal.close()


def test_open__what_was_written__comes_back_equal(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    journal = Journal(tmp_path / "j")
    assert journal.count == 5
    assert journal.spends[3] == Spend(103, {"token": 10**20 + 3}, Fraction(1), Fraction(1, 7))
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600
    journal.close()


@pytest.mark.parametrize("seed", range(200))
def test_open__one_byte_changed_or_a_line_taken_out__is_damaged(seed: int, tmp_path: Path) -> None:
    path, rng = tmp_path / "j", Random(seed)
    filled(path)
    content = bytearray(path.read_bytes())
    lines = content.splitlines(keepends=True)
    if seed % 4 == 0:
        del lines[rng.randrange(4)]
        changed = b"".join(lines)
    elif seed % 4 == 1:
        changed = bytes(content[: -rng.randrange(1, len(lines[-1]))])
    else:  # the last line has no successor that would give it away
        content[rng.randrange(len(content) - len(lines[-1]))] ^= 1 << rng.randrange(7)
        changed = bytes(content)
    path.write_bytes(changed)
    with pytest.raises(Damaged):
        Journal(path)


def test_open__twice__the_second_is_refused(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j")
    with pytest.raises(Damaged, match="in use by another signer"):
        Journal(tmp_path / "j")
    first.close()
    Journal(tmp_path / "j").close()


def test_open__others_may_write__is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "j")
    (tmp_path / "j").chmod(0o620)
    with pytest.raises(Damaged, match="chmod 600"):
        Journal(tmp_path / "j")


def test_append__a_line__says_what_was_signed_but_not_the_bytes(tmp_path: Path) -> None:
    filled(tmp_path / "j", 1)
    entry = json.loads((tmp_path / "j").read_text())
    assert (entry["n"], entry["effects"], entry["intent"]) == (1, [["burn", "token", "1"]], "why")
    assert len(entry["digest"]) == 64
