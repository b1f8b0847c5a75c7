"""The build of our own on-chain programs: C source -> object (clang 19) -> program, equal bytes every time.

`python -m deploy.localnet.solana.programs.build` compares a fresh build with the committed files;
`--write` replaces them and prints the sha256 to pin in `../programs.py`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.localnet.solana.programs.sbf_linker import link

HERE = Path(__file__).parent
COMPILER = "clang-19"  # one compiler: another version gives other (equally valid) bytes
FLAGS = (
    *("-target", "bpfel", "-mcpu=v2", "-O2", "-g0", "-Wall", "-Werror"),
    *("-fno-builtin", "-ffreestanding", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    *("-mllvm", "-bpf-stack-size=4096"),
)
PROGRAMS = ("amm", "noop")


def compiler() -> str | None:
    """Where clang 19 lies, or None where it is not installed (Debian: `apt-get install clang-19`)."""
    return shutil.which(COMPILER)


def build(name: str) -> bytes:
    """The linked program of `<name>.c`. Raises `FileNotFoundError` without clang 19."""
    clang = compiler()
    if clang is None:
        raise FileNotFoundError(f"{COMPILER} is not installed: apt-get install {COMPILER}")
    with tempfile.TemporaryDirectory() as folder:
        obj = Path(folder) / f"{name}.o"
        subprocess.run([clang, *FLAGS, "-c", f"{name}.c", "-o", str(obj)], check=True, cwd=HERE)
        return link(obj.read_bytes())


def main(arguments: list[str]) -> int:
    """Exit code 0 when every fresh build equals its committed file (or was written), else 1."""
    differing = 0
    for name in PROGRAMS:
        target, program = HERE / f"{name}.so", build(name)
        if "--write" in arguments:
            target.write_bytes(program)
        same = target.exists() and target.read_bytes() == program
        differing += not same
        digest, verdict = hashlib.sha256(program).hexdigest(), "same" if same else "DIFFERS"
        print(f"{name}.so {len(program)} bytes sha256 {digest} {verdict}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
