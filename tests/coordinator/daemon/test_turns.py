"""The record of turns: one line each, read back newest first, whatever happened to the file."""

from __future__ import annotations

import os
from pathlib import Path

from coordinator.daemon import turns as module
from coordinator.daemon.turns import Turn, Turns


def turn(number: int) -> Turn:
    return Turn(1_000 + number, "waits", f"turn {number}", nav="1.00", seconds=2)


def test_newest__several_turns__newest_first_and_no_more_than_asked(tmp_path: Path):
    turns = Turns(tmp_path / "journal.sqlite3")
    for number in range(5):
        turns.append(turn(number))
    assert turns.newest(2) == [turn(4), turn(3)]


def test_newest__no_file__nothing(tmp_path: Path):
    turns = Turns(tmp_path / "journal.sqlite3")
    assert turns.newest(10) == []
    assert turns.heartbeat is None


def test_newest__lines_cut_off_or_of_another_program__left_out(tmp_path: Path):
    turns = Turns(tmp_path / "journal.sqlite3")
    turns.append(turn(1))
    with turns.path.open("a", encoding="utf-8") as file:
        file.write('{"time": 5, "outcome": "waits"}\n[]\n{"time": 7, "outc')
    assert turns.newest(10) == [turn(1)]


def test_append__new_file__readable_by_the_owner_alone(tmp_path: Path):
    turns = Turns(tmp_path / "state" / "journal.sqlite3")
    turns.append(turn(1))
    assert turns.path.stat().st_mode & 0o777 == 0o600


def test_append__file_grown_too_large__set_aside(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    turns = Turns(tmp_path / "journal.sqlite3")
    turns.append(turn(1))
    turns.append(turn(2))
    assert turns.newest(10) == [turn(2)]
    assert '"turn 1"' in turns.path.with_name("turns.jsonl.1").read_text("utf-8")


def test_beat__before_the_first_turn_ends__already_a_sign_of_life(tmp_path: Path):
    turns = Turns(tmp_path / "state" / "journal.sqlite3")
    turns.beat()
    assert turns.heartbeat is not None
    assert turns.newest(10) == []
    assert turns.path.stat().st_mode & 0o777 == 0o600


def test_beat__old_file__heartbeat_is_now_and_content_stays(tmp_path: Path):
    turns = Turns(tmp_path / "journal.sqlite3")
    turns.append(turn(1))
    os.utime(turns.path, (5, 5))
    assert turns.heartbeat == 5
    turns.beat()
    assert turns.heartbeat is not None
    assert turns.heartbeat > 5
    assert turns.newest(10) == [turn(1)]
