"""The anvil process: its binary and its command lines, for deploying and for running."""

import platform
from pathlib import Path

from deploy.localnet.accounts import ACCOUNT_COUNT
from deploy.localnet.fetch import FetchError, Say, fetch, say_on_stderr

BALANCE_ETHER = 1_000_000
# With one slot an epoch anvil calls latest - 1 safe and latest - 2 finalized, so finality moves by itself.
SLOTS_IN_AN_EPOCH = 1
# How many blocks back state can still be read (a minute of the clock's blocks). Without the bound anvil writes every
# block's whole state to disk.
READABLE_BLOCKS = 240


def anvil_binary(say: Say = say_on_stderr) -> Path:
    """The pinned anvil; FetchError on a machine it is not built for."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise FetchError(
            f"the pinned anvil is built for Linux on x86_64, this is {platform.system()} on {platform.machine()}; "
            "run the local network in a Linux x86_64 machine or container"
        )
    return fetch("anvil", say) / "bin" / "anvil"


def deploying(binary: Path, port: int, chain_id: int, dump: Path) -> list[str]:
    """A fresh node that mines each transaction at once and writes its state to `dump` when it is terminated."""
    return [*_common(binary, port, chain_id, dump.parent.parent), "--dump-state", str(dump)]


def running(binary: Path, port: int, chain_id: int, state: Path, scratch: Path) -> list[str]:
    """A node that starts from a dumped state and mines only when the clock process asks it to."""
    return [
        *_common(binary, port, chain_id, scratch),
        *("--load-state", str(state)),
        "--no-mining",
        *("--slots-in-an-epoch", str(SLOTS_IN_AN_EPOCH)),
        *("--prune-history", str(READABLE_BLOCKS)),
    ]


def _common(binary: Path, port: int, chain_id: int, scratch: Path) -> list[str]:
    # No --mnemonic: anvil's default is the public development mnemonic of `accounts`.
    return [
        str(binary),
        *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)),
        *("--accounts", str(ACCOUNT_COUNT), "--balance", str(BALANCE_ETHER)),
        # Where anvil may put files of its own; else it makes a folder in the user's home at every start.
        *("--cache-path", str(scratch)),
        "--silent",
    ]
