"""Where output goes: data to stdout, everything said to people beside it to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console


class Output:
    """One command's voice. With `as_json`, `data` prints the view and drawings are left out."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.people = Console(file=sys.stderr if as_json else sys.stdout, highlight=False)
        self.notes = Console(stderr=True, highlight=False)

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
