"""JSON from strangers: parsed only when it is not nested so deeply that parsing could end the process.

Python's own guard is the recursion limit, and `py_ecc`, which comes with web3, lifts that to 100,000 on import: a body
of a hundred thousand brackets then overflows the C stack, which no `except` catches.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 600  # callTracer nests two levels a call; gas keeps real call stacks far below 300

# A string is skipped as a whole, an unterminated one up to the end, so that no text takes more than one pass.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[{]|[\]}]', re.DOTALL)


class TooDeep(ValueError):
    """Nested beyond MAX_DEPTH."""


def parse(body: bytes) -> Any:
    """The value. Raises ValueError when it is not JSON, or nested too deeply."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(body)
    try:
        return json.loads(body)
    except RecursionError:  # the caller itself stands deep
        raise TooDeep("nested too deeply for the stack there is") from None


def _check_depth(body: bytes) -> None:
    depth = 0
    for token in _TOKEN.finditer(body):
        mark = token[0][:1]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooDeep(f"nested more than {MAX_DEPTH} levels")
