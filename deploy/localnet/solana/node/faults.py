"""The faults a test can ask of the node; each one mends itself when its count runs out or it is set back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Faults:
    """All off by default. Counts go down by one each time the fault strikes."""

    drop_next: int = 0
    """Transactions accepted (the signature is answered) that never land."""
    delay_slots: int = 0
    """Every transaction lands this many slots after it was sent."""
    lose_response: int = 0
    """Transactions that land while the connection is cut before the answer."""
    http_status: int = 0
    """Every HTTP request (controls apart) is answered with this status, e.g. 429 or 503."""
    fail_methods: dict[str, list[Any]] = field(default_factory=dict)
    """Method name -> [code, message] or [code, message, data]: the method answers this error."""

    def change(self, changes: dict[str, Any]) -> None:
        """Set some fields, leave the others. Raises `ValueError` on an unknown name or a negative number."""
        for name, value in changes.items():
            if name not in self.__slots__:
                raise ValueError(f"unknown fault {name!r}; known: {', '.join(self.__slots__)}")
            right = isinstance(value, dict) if name == "fail_methods" else isinstance(value, int) and value >= 0
            if not right:
                raise ValueError(f"fault {name!r} does not take {value!r}")
            setattr(self, name, value)
