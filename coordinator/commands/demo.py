"""`demo`: hands over to `deploy.demo`, which lives in the source checkout and is not installed with the program."""

from __future__ import annotations

from pathlib import Path

from coordinator.exits import Exit
from coordinator.show.output import Output


def demo(home: Path, keep: bool) -> int:
    """Run the demo in `home`; the local network stays up unless `keep` is false."""
    try:
        from deploy.demo.run import run
    except ImportError as missing:
        Output(False).error(f"the demo needs the source checkout ({missing}); in it, run: make demo")
        return Exit.USAGE
    return run(home, keep=keep)
