"""Migrations: a new file gets the newest schema, a known one is left alone, a newer one is refused untouched."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coordinator.clock import SimulatedClock
from coordinator.journal.migrate import NewerJournal
from coordinator.journal.store import Journal
from coordinator.journal.tables import metadata


def test_open__new_file__has_every_table_and_opens_again(tmp_path: Path):
    path = tmp_path / "deeper" / "journal.sqlite3"
    for _ in range(2):
        Journal.open(path, SimulatedClock()).close()
    with closing(sqlite3.connect(path)) as raw:
        names = {name for (name,) in raw.execute("select name from sqlite_master where type = 'table'")}
    assert names == {*metadata.tables, "alembic_version"}
    assert path.parent.stat().st_mode & 0o077 == 0


def test_open__schema_of_a_later_program__is_refused_and_untouched(tmp_path: Path):
    path = tmp_path / "journal.sqlite3"
    Journal.open(path, SimulatedClock()).close()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(NewerJournal, match=r"9999.*use a newer program"):
        Journal.open(path, SimulatedClock())
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("select version_num from alembic_version").fetchall() == [("9999",)]
