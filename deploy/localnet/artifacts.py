"""Contract artifacts: ABI and creation bytecode read out of the pinned packages, checked, and linked to libraries.

Three formats occur: hardhat/truffle JSON, typechain factories (`.js`, two literals), and a raw `.bin` next to an ABI.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from deploy.localnet.fetch import FetchError, fetch, pins

_ABI_LITERAL = re.compile(r"const _abi = (\[.*?\n\]);", re.DOTALL)
_CODE_LITERAL = re.compile(r'const _bytecode = "(0x[0-9a-fA-F_$]*)"')
_BARE_KEY = re.compile(r"(\n\s*)([A-Za-z]+):")
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
_ADDRESS_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract as compiled: `code` and `runtime` are `0x…` text, `links` maps a library's name to byte offsets."""

    name: str
    abi: tuple[dict[str, Any], ...]
    code: str
    runtime: str | None = None
    links: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@cache
def load(name: str) -> Artifact:
    """The pinned artifact called `name` in packages.toml.

    Raises FetchError when its creation bytecode is not the pinned one.
    """
    pin = pins()[1][name]
    path = fetch(pin.package) / pin.path
    artifact = replace(read(path), name=name)
    found = hashlib.sha256(artifact.code.encode("ascii")).hexdigest()
    if found != pin.sha256:
        raise FetchError(
            f"{path}: creation bytecode of {name} has sha256 {found}, allowed {pin.sha256}; delete {path.parent} and run the command again"
        )
    return artifact


def read(path: Path) -> Artifact:
    """Read one artifact file in whichever of the three formats its suffix says."""
    if path.suffix == ".js":
        return _from_typechain(path)
    if path.suffix == ".bin":
        return _from_bin(path)
    return from_json(path.stem, json.loads(path.read_text("utf-8")))


def from_json(name: str, entry: Mapping[str, Any]) -> Artifact:
    """An artifact of hardhat, truffle or solc shape; solc's bytecode is an object, the others' is text."""
    code, links = entry["bytecode"], entry.get("linkReferences", {})
    if isinstance(code, dict):
        code, links = code["object"], code.get("linkReferences", {})
    runtime = entry.get("deployedBytecode")
    if isinstance(runtime, dict):
        runtime = runtime["object"]
    offsets = {library: tuple(place["start"] for place in places) for libraries in links.values() for library, places in libraries.items()}
    return Artifact(name, tuple(entry["abi"]), _prefixed(code), runtime and _prefixed(runtime), offsets)


def link(artifact: Artifact, libraries: Mapping[str, str]) -> Artifact:
    """Put the libraries' addresses where the compiler left placeholders."""
    code = artifact.code
    for library, offsets in artifact.links.items():
        digits = libraries[library].removeprefix("0x").lower()
        for offset in offsets:
            start = 2 + 2 * offset
            code = code[:start] + digits + code[start + _ADDRESS_DIGITS :]
    if "__" in code:
        raise ValueError(f"{artifact.name}: a library placeholder is left in the code; linked: {sorted(libraries)}")
    return replace(artifact, code=code, links={})


def _from_typechain(path: Path) -> Artifact:
    text = path.read_text("utf-8")
    abi, code = _ABI_LITERAL.search(text), _CODE_LITERAL.search(text)
    if abi is None or code is None:
        raise ValueError(f"{path}: no typechain ABI and bytecode literals in it")
    # The ABI is a JavaScript literal that differs from JSON only by bare keys and trailing commas.
    as_json = _TRAILING_COMMA.sub(r"\1", _BARE_KEY.sub(r'\1"\2":', abi[1]))
    return Artifact(path.stem.removesuffix("__factory"), tuple(json.loads(as_json)), code[1])


def _from_bin(path: Path) -> Artifact:
    """`build/X_sol_X.bin` with its ABI in `abis/X.json`."""
    name = path.stem.split("_sol_")[-1]
    abi = json.loads((path.parent.parent / "abis" / f"{name}.json").read_text("utf-8"))
    return Artifact(name, tuple(abi), _prefixed(path.read_text("ascii").strip()))


def _prefixed(digits: str) -> str:
    return digits if digits.startswith("0x") else "0x" + digits
