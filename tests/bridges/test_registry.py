"""RAILS: every line leads to a model and a builder, and reading a configuration loads nothing heavy."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module

import pytest

from bridges.registry import RAILS
from bridges.settings import RailSettings


@pytest.mark.parametrize("name", RAILS)
def test_rail__settings__are_strict_and_frozen(name):
    model = RAILS[name].settings
    assert issubclass(model, RailSettings)
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"] is True


@pytest.mark.parametrize("name", RAILS)
def test_rail__builder__takes_its_own_settings_and_surroundings(name):
    module, _, function = RAILS[name].builder.partition(":")
    parameters = list(inspect.signature(getattr(import_module(module), function)).parameters.values())
    assert [str(parameter.annotation).rpartition(".")[2] for parameter in parameters] == [RAILS[name].settings.__name__, "Surroundings"]


def test_registry__all_settings_read__neither_web3_nor_solana_is_imported():
    program = (
        "import sys; from bridges.registry import RAILS; [kind.settings for kind in RAILS.values()];"
        "print(*sorted({'web3', 'solana', 'solders', 'eth_abi'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
