"""The local network's command line where no network runs."""

from pathlib import Path

import pytest

from deploy.localnet.__main__ import main


@pytest.mark.parametrize("command", ["down", "status", "reset"])
def test_command__no_network_in_home__says_how_to_start_one(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--home", str(tmp_path)]) == 2
    assert "no local network in" in (said := capsys.readouterr().err)
    assert "python -m deploy.localnet up" in said
