"""A treasury that loads, and how to break it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from coordinator.config.errors import ConfigErrors
from coordinator.config.load import load_text
from coordinator.config.treasury import Treasury

HERE = Path(__file__).parent
Edit = tuple[str, str]


@pytest.fixture(scope="session")
def text() -> str:
    return (HERE / "treasury.yaml").read_text()


@pytest.fixture
def load_edited(text: str) -> Callable[..., Treasury]:
    """Load treasury.yaml with the first occurrence of each text replaced."""

    def load(*edits: Edit, environment: Mapping[str, str] | None = None) -> Treasury:
        edited = text
        for old, new in edits:
            assert old in edited, f"{old!r} is not in treasury.yaml"
            edited = edited.replace(old, new, 1)
        return load_text(edited, Path("treasury.yaml"), environment or {})

    return load


@pytest.fixture
def refusals(load_edited: Callable[..., Treasury]) -> Callable[..., list[str]]:
    """What is told about treasury.yaml after these edits; nothing when it loads."""

    def told(*edits: Edit, environment: Mapping[str, str] | None = None) -> list[str]:
        try:
            load_edited(*edits, environment=environment)
        except ConfigErrors as refusal:
            return [str(error) for error in refusal.errors]
        return []

    return told
