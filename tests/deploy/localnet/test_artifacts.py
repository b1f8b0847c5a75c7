"""Artifact formats and library linking."""

import json
from pathlib import Path

import pytest

from deploy.localnet.artifacts import Artifact, from_json, link, read

LIBRARY = "0x" + "Ab" * 20
HOLE = "__$" + "0" * 34 + "$__"


def test_from_json__hardhat__keeps_code_and_link_offsets() -> None:
    links = {"contracts/A.sol": {"Library": [{"start": 1, "length": 20}, {"start": 30, "length": 20}]}}
    entry = {"abi": [{"type": "constructor"}], "bytecode": "0x6000", "deployedBytecode": "0x60", "linkReferences": links}
    found = from_json("A", entry)
    assert (found.code, found.runtime, found.links) == ("0x6000", "0x60", {"Library": (1, 30)})


def test_from_json__solc__reads_bytecode_objects() -> None:
    links = {"a.sol": {"L": [{"start": 2, "length": 20}]}}
    entry = {"abi": [], "bytecode": {"object": "6001", "linkReferences": links}, "deployedBytecode": {"object": "02"}}
    found = from_json("A", entry)
    assert (found.code, found.runtime, found.links) == ("0x6001", "0x02", {"L": (2,)})


def test_read__typechain_factory__evaluates_the_two_literals(tmp_path: Path) -> None:
    path = tmp_path / "Thing__factory.js"
    path.write_text(
        'import { utils } from "ethers";\nconst _abi = [\n    {\n        inputs: [],\n        name: "a:b",\n'
        '        anonymous: false,\n    },\n];\nconst _bytecode = "0x60ff";\nexport class Thing__factory {}\n'
    )
    found = read(path)
    assert found == Artifact("Thing", ({"inputs": [], "name": "a:b", "anonymous": False},), "0x60ff")


def test_read__typechain_without_bytecode__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "IThing__factory.js"
    path.write_text("const _abi = [\n    {},\n];\n")
    with pytest.raises(ValueError, match="no typechain ABI and bytecode"):
        read(path)


def test_read__bin_next_to_abi__is_joined(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "abis").mkdir()
    (tmp_path / "build/M_sol_M.bin").write_text("60aa\n")
    (tmp_path / "abis/M.json").write_text(json.dumps([{"type": "fallback"}]))
    assert read(tmp_path / "build/M_sol_M.bin") == Artifact("M", ({"type": "fallback"},), "0x60aa")


def test_link__every_place__gets_the_address() -> None:
    holed = Artifact("A", (), "0x60" + HOLE + "61" + HOLE, links={"L": (1, 22)})
    assert link(holed, {"L": LIBRARY}).code == "0x60" + "ab" * 20 + "61" + "ab" * 20


def test_link__a_library_is_missing__is_refused() -> None:
    holed = Artifact("A", (), "0x60" + HOLE + HOLE, links={"L": (1,)})
    with pytest.raises(ValueError, match="A: a library placeholder is left"):
        link(holed, {"L": LIBRARY})
