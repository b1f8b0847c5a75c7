"""The Solidity compiler: npm's WebAssembly build run by node, its output cached by the hash of its input."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from deploy.localnet.artifacts import Artifact, from_json
from deploy.localnet.fetch import FetchError, Say, cache_home, fetch, locked, pins, say_on_stderr

CONTRACTS = Path(__file__).with_name("contracts")
RUNNER = Path(__file__).with_name("solc.cjs")
CHAINLINK_SOURCES = "src/data-feeds"
COMPILE_SECONDS = 300


class CompileError(Exception):
    """The compiler refused the sources; the text holds its messages."""


def compile_contracts(say: Say = say_on_stderr) -> dict[str, Artifact]:
    """Our own contracts and the Chainlink-style aggregator, by contract name; about 5 s once, then from the cache."""
    request = _standard_json(_sources())
    text = json.dumps(request, sort_keys=True)
    version = pins()[0]["solc"].npm
    key = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()[:24]
    cached = cache_home() / "compiled" / f"{key}.json"
    with locked(cached.parent / ".lock"):
        if not cached.exists():
            say(f"compiling {len(request['sources'])} Solidity files with {version}")
            _write(cached, _run(text))
    output: dict[str, Any] = json.loads(cached.read_text("utf-8"))
    return {
        name: from_json(name, {"abi": entry["abi"], **entry["evm"]})
        for contracts in output["contracts"].values()
        for name, entry in contracts.items()
        if entry["evm"]["bytecode"]["object"]
    }


def _sources() -> dict[str, str]:
    """Source texts by the path that `import` statements resolve to."""
    ours = {path.name: path.read_text("utf-8") for path in sorted(CONTRACTS.glob("*.sol"))}
    chainlink = fetch("chainlink")
    theirs = [path for path in pins()[0]["chainlink"].files if path.startswith(CHAINLINK_SOURCES)]
    return ours | {str(PurePosixPath("chainlink") / path): (chainlink / path).read_text("utf-8") for path in theirs}


def _standard_json(sources: Mapping[str, str]) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            "optimizer": {"enabled": True, "runs": 200},
            "evmVersion": "cancun",
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode.object"]}},
        },
    }


def _run(request: str) -> dict[str, Any]:
    command = ["node", str(RUNNER), str(fetch("solc") / "soljson.js")]
    try:
        done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False)
    except FileNotFoundError:
        raise FetchError("node is not installed: install Node 20 (Debian: `apt install nodejs npm`)") from None
    if done.returncode != 0:
        raise CompileError(f"the Solidity compiler stopped: {done.stderr[-2000:]}")
    output: dict[str, Any] = json.loads(done.stdout)
    errors = [entry["formattedMessage"] for entry in output.get("errors", []) if entry["severity"] == "error"]
    if errors:
        raise CompileError("\n".join(errors))
    return output


def _write(path: Path, output: Mapping[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(output), "utf-8")
    partial.rename(path)
