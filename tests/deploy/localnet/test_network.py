"""The network where none was brought up."""

from pathlib import Path

import pytest

from deploy.localnet.network import Network, NetworkError


def test_book__never_up__says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"network\.json is missing: run `python -m deploy\.localnet up`"):
        _ = Network(tmp_path, 18590).book
