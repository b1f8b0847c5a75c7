"""Where output goes: data to stdout, everything said to people beside it to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class Output:
    """One command's voice. With `as_json`, `data` prints the view and drawings are left out."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    @cached_property
    def people(self) -> Console:
        return _console(stderr=self.as_json)

    @cached_property
    def notes(self) -> Console:
        return _console(stderr=True)

    def data(self, view: dict[str, Any], draw: Callable[[dict[str, Any], Console], None]) -> None:
        if self.as_json:
            sys.stdout.write(json.dumps(view, ensure_ascii=False, indent=1) + "\n")
        else:
            draw(view, self.people)

    def note(self, text: str) -> None:
        """One line for people, on stderr; plain text, never markup."""
        self.notes.print(text, markup=False, soft_wrap=True)

    def error(self, text: str) -> None:
        self.notes.print(text, style="bold red", markup=False, soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # late: while the networks are asked, nothing is drawn yet

    return Console(stderr=stderr, highlight=False)
