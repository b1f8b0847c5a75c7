"""Tests of reading a treasury: what loads, what is refused, and with which words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from coordinator.config.errors import ConfigErrors
from coordinator.config.load import load, load_text
from coordinator.config.treasury import Treasury

Refusals = Callable[..., list[str]]
BROKEN: dict[str, Any] = YAML(typ="safe", pure=True).load(Path(__file__).with_name("broken.yaml"))


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_load__broken_file__tells_every_error_word_for_word(case: str, refusals: Refusals) -> None:
    told = refusals(*BROKEN[case]["edits"])
    expected = BROKEN[case]["errors"]
    assert len(told) == len(expected), told
    for found, wanted in zip(told, expected, strict=True):
        pattern = re.escape(wanted).replace("<names>", r"[\w, -]+")
        assert re.fullmatch(pattern, found), f"\n{found}\n{wanted}"


def test_broken_files__table__holds_at_least_thirty() -> None:
    assert len(BROKEN) >= 30


def test_load__several_mistakes__tells_all_at_once_in_file_order(refusals: Refusals) -> None:
    told = refusals(("quorum: 2", "quorum: 0"), ("band: 5pp", "band: 5"), ("per_leg: $5k", "per_leg: 5"), ("  cctp:", "  cctpp:"))
    assert [line.split(": ")[1] for line in told] == [
        "chains.alpha.quorum",
        "targets.assets.USDC.band",
        "limits.per_leg",
        "rails.cctpp",
    ]


def test_errors__last_line__counts_them(text: str) -> None:
    with pytest.raises(ConfigErrors) as refusal:
        load_text(text.replace("version: 1", "version: 3"), Path("treasury.yaml"), {})
    assert str(refusal.value).splitlines()[-1] == "1 error. Nothing was started."


def test_load__missing_file__says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"cannot be read: No such file or directory; name another with --config"):
        load(tmp_path / "none.yaml", {})


def test_load__not_utf8__refused(tmp_path: Path) -> None:
    file = tmp_path / "treasury.yaml"
    file.write_bytes(b"name: \xff\n")
    with pytest.raises(ConfigErrors, match="byte 6 is not UTF-8"):
        load(file, {})


def test_load__huge_file__refused_before_parsing(tmp_path: Path) -> None:
    file = tmp_path / "treasury.yaml"
    file.write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigErrors, match="1,000,000 at most"):
        load(file, {})


@pytest.mark.parametrize(
    "bomb",
    ["a: &a [x, x]\n" + "".join(f"{n}: &{n} [{', '.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi")), "a: &a [*a]\n"],
    ids=["wide", "endless"],
)
def test_load__aliases_without_end__refused_in_bounded_work(bomb: str) -> None:
    with pytest.raises(ConfigErrors, match="unfolds without end"):
        load_text(bomb, Path("t.yaml"), {})


def test_load__example__is_valid() -> None:
    environment = {f"{chain}_RPC_A": f"https://{chain.lower()}.rpc.example/key" for chain in ("ETHEREUM", "BASE", "ARBITRUM", "SOLANA")}
    environment["TREASURY_EVM"] = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    environment["TREASURY_SOLANA"] = "TreasuryExamp1e1111111111111111111111111111"
    example = Path(__file__).parents[3] / "deploy" / "treasury.example.yaml"
    treasury = load(example, environment)
    assert [chain.name for chain in treasury.chains.values()] == ["ethereum", "base", "arbitrum", "solana"]
    assert sum(band.ideal for band in treasury.targets.assets.values() if band.ideal is not None) == 1
    assert list(treasury.rails) == ["cctp", "uniswap", "solana-amm"]
    assert all(not key.keystore or key.keystore.is_absolute() for key in treasury.keys.values())


def test_load__example_without_its_variables__names_each() -> None:
    example = Path(__file__).parents[3] / "deploy" / "treasury.example.yaml"
    with pytest.raises(ConfigErrors) as refusal:
        load(example, {})
    assert {name for error in refusal.value.errors for name in re.findall(r"\$\{(\w+)\} is not set", str(error))} == {
        "TREASURY_EVM",
        "TREASURY_SOLANA",
        "ETHEREUM_RPC_A",
        "BASE_RPC_A",
        "ARBITRUM_RPC_A",
        "SOLANA_RPC_A",
    }


def test_load__numbers__are_read_as_written(load_edited: Callable[..., Treasury]) -> None:
    plain = load_edited(("gas_floor: 0.05", "gas_floor: 0.123456789012345678"))
    chain = next(iter(plain.chains))
    assert plain.gas_floor(chain) == 123456789012345678


def test_load__imports__neither_web3_nor_solana_nor_aiohttp() -> None:
    script = (
        "import sys; from coordinator.config.load import load; load(sys.argv[1], {}); "
        "print(sorted({'web3', 'solana', 'aiohttp', 'eth_abi', 'eth_account', 'sqlalchemy', 'scipy'} & set(sys.modules)))"
    )
    file = Path(__file__).with_name("treasury.yaml")
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
