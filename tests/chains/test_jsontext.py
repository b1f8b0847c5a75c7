"""JSON from strangers, in a process whose recursion limit a library has lifted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.jsontext import MAX_DEPTH, TooDeep, parse

TEXT = st.text(alphabet='[]{}"\\a', max_size=20)


@settings(max_examples=50)
@given(st.recursive(st.none() | st.integers() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)))
def test_parse__any_value__as_json_does(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value


def test_parse__many_brackets_side_by_side_or_in_strings__are_no_depth() -> None:
    wide = [['[[[[{{{{\\"']] * 5000
    assert parse(json.dumps(wide).encode()) == wide


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'["\\"[",' * 100_000, b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)]
)
def test_parse__nested_too_deeply__refused(body: bytes) -> None:
    with pytest.raises(TooDeep):
        parse(body)


def test_parse__deepest_allowed__is_parsed() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b'"' + b'\\"[' * 400_000, b"]" * 400_000 + b"[" * 601], ids=["empty", "binary", "unterminated", "closing"]
)
def test_parse__not_json__value_error_in_one_pass(body: bytes) -> None:
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        parse(body)


def test_parse__web3_loaded__process_survives_a_deep_body() -> None:
    script = (
        "import sys, web3; from chains.jsontext import parse, TooDeep\n"
        "assert sys.getrecursionlimit() >= 100_000\n"
        "try: parse(b'[' * 1_000_000)\n"
        "except TooDeep: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "refused\n")
