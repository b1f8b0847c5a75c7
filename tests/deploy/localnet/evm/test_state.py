"""The cache key of the deployed state."""

from pathlib import Path

import pytest

from deploy.localnet.evm import state


def test_key__any_input_changes__is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state._key()
    assert before == state._key()
    pins = tmp_path / "packages.toml"
    pins.write_text(state.PINS.read_text() + "\n")
    monkeypatch.setattr(state, "PINS", pins)
    assert state._key() != before
