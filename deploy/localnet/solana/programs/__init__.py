"""The on-chain programs of the local network: fixed ids, and their bytes checked by sha256.

Hyperlane's come from its npm package (Apache-2.0, fetched, never in git); `amm.so` and `noop.so` are our own, built
from the C sources here by `build.py`. Ids that real networks fix are the real ones; the others come from fixed seeds.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

HERE = Path(__file__).parent
HYPERLANE_PACKAGE = "hyperlane-sealevel"
HYPERLANE_FILE = "dist/hyperlane/program-bytes.js"


def dev_key(name: str) -> Keypair:
    """A PUBLIC development key of the local network: the same for everybody, worthless anywhere else."""
    return Keypair.from_seed(hashlib.sha256(f"coordinator local network: {name}".encode()).digest())


MAILBOX = Pubkey.from_string("2Zvzyv2sstAhs9wu1xaLpH5X17dVouEb8zjkBRPKsSy5")
ISM = Pubkey.from_string("EALSQwzJFwRbjDjBkwNziHXnowfgwt9ixKapKiudGa45")
NOOP = Pubkey.from_string("noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV")
WARP_USDC = dev_key("warp route program for USDC").pubkey()
AMM = dev_key("pool program").pubkey()


class ProgramError(Exception):
    """A program's bytes are not the pinned ones; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """`source` is the name in Hyperlane's package, or a file beside this one."""

    key: Pubkey
    source: str
    sha256: str


HYPERLANE_PROGRAMS = (
    Program(MAILBOX, "mailbox", "75f916649adb2b1d5f9759eb7ce47778652e450c32991fc913e81a284d430850"),
    Program(ISM, "multisigIsm", "073b1d9db8b8f5421e31e5523cc393ddee792e361dcb4b87a160c94e60ac2c36"),
    Program(WARP_USDC, "tokenCollateral", "ab09596bbc2ffc96607047ca3bafbac7b88174c8b5ba55257a07d3ca80b32742"),
)
OWN_PROGRAMS = (
    Program(AMM, "amm.so", "2a5965bb28de94cefc76baa2ec6669e668f952eec35e06141b3a8b077774a99f"),
    Program(NOOP, "noop.so", "a32403751d9fb30c3c5fc455ee64f68d17b732f19f69eb7b72ab7ec8a6d65d10"),
)


def _checked(program: Program, found: bytes, mend: str) -> bytes:
    digest = hashlib.sha256(found).hexdigest()
    if digest != program.sha256:
        raise ProgramError(f"program {program.source}: found sha256 {digest}, allowed {program.sha256}; {mend}")
    return found


def own_programs() -> Mapping[Pubkey, bytes]:
    """Our pool program and the one that does nothing. Raises `ProgramError`."""
    mend = "rebuild with `python -m deploy.localnet.solana.programs.build --write` and pin the new sha256"
    return {p.key: _checked(p, (HERE / p.source).read_bytes(), mend) for p in OWN_PROGRAMS}


def hyperlane_programs(package: Path) -> Mapping[Pubkey, bytes]:
    """Hyperlane's programs out of the unpacked npm package, read without Node. Raises `ProgramError`."""
    script = (package / HYPERLANE_FILE).read_text("utf-8")
    found = {}
    for program in HYPERLANE_PROGRAMS:
        literal = re.search(rf"\b{program.source}: new Uint8Array\(\[([\d,\s]*)\]\)", script)
        if literal is None:
            raise ProgramError(f"program {program.source} is not in {package / HYPERLANE_FILE}; delete it and fetch again")
        numbers = literal[1].replace("\n", " ").strip(" ,").split(",")
        body = bytes(map(int, numbers))
        found[program.key] = _checked(program, body, "delete the cached package and fetch it again")
    return found
