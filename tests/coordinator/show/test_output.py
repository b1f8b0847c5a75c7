"""Which stream gets what: data and drawings, notes and errors."""

from __future__ import annotations

import json

import pytest

from coordinator.show.output import Output


def test_output__for_people__draws_on_stdout_and_speaks_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=False)
    out.data({"a": 1}, lambda view, console: console.print(f"a is {view['a']}"))
    out.note("next: [b]this[/b]")
    out.error("refused: a long line " + "x" * 200)

    streams = capsys.readouterr()
    assert streams.out == "a is 1\n"
    assert streams.err == "next: [b]this[/b]\nrefused: a long line " + "x" * 200 + "\n"


def test_output__for_machines__prints_the_view_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.data({"a": "€"}, lambda view, console: console.print("a drawing"))
    out.note("next: this")

    streams = capsys.readouterr()
    assert json.loads(streams.out) == {"a": "€"}
    assert streams.err == "next: this\n"
