"""`python -m coordinator.signer`: the signer's process. It ends when it is told to, or with the process that started it."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from coordinator.signer.journal import Damaged, Journal
from coordinator.signer.keyfiles import Unusable, open_key
from coordinator.signer.policy_file import BadPolicy, read
from coordinator.signer.serving import Desk, listen, say, serve

READY = b"ready\n"
_PR_SET_DUMPABLE = 4
_UNUSABLE = 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="coordinator signer", description="Holds the keys and signs what its own policy allows.")
    parser.add_argument("--policy", type=Path, required=True, help="the file that `coordinator signer policy` wrote")
    parser.add_argument("--socket", type=Path, required=True, help="where to answer")
    parser.add_argument("--child", action="store_true", help="say ready on stdout, and end when stdin closes")
    options = parser.parse_args()
    protect()
    try:
        asyncio.run(run(options.policy, options.socket, options.child))
    except (BadPolicy, Unusable, Damaged) as problem:
        say(str(problem))
        sys.exit(_UNUSABLE)
    except OSError as problem:
        say(f"{problem.filename or options.socket}: {problem.strerror or problem}")
        sys.exit(_UNUSABLE)


def protect() -> None:
    """No core dumps, and no debugger of the same user: memory holds keys."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.umask(0o077)


async def run(policy_file: Path, place: Path, child: bool) -> None:
    """Raises BadPolicy, Unusable or Damaged before anything is answered."""
    policy = read(policy_file)
    keys = {account: open_key(account, policy.accounts[account], key) for account, key in policy.keys.items()}
    journal = Journal(policy.journal)
    until, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, until.set)
    if child:
        loop.add_reader(sys.stdin.fileno(), _ended, until)
    try:
        with listen(place, policy.clients) as line:
            await serve(Desk(policy, keys, journal), line, policy.clients, until, _ready if child else _stand)
    finally:
        journal.close()


def _ended(until: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1):  # the process that started this one is gone
        until.set()


def _ready() -> None:
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()


def _stand() -> None:
    say("ready")


if __name__ == "__main__":
    main()
