"""`python -m deploy.demo`: the demo, from nothing to a report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.demo.run import run
from deploy.localnet.layout import DEFAULT_HOME, DEFAULT_PORT_BASE


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description="The main job on a local network of real contracts.")
    parser.add_argument("--home", type=Path, default=Path(DEFAULT_HOME), help="where the network and the demo treasury live")
    parser.add_argument("--port-base", type=int, default=DEFAULT_PORT_BASE, help="first of the 100 ports it uses")
    parser.add_argument("--report", type=Path, default=Path("demo-report.json"))
    parser.add_argument("--down", action="store_true", help="take the network down at the end")
    parser.add_argument("--prepare", action="store_true", help="only bring up the network and make the unbalanced treasury")
    options = parser.parse_args()
    sys.exit(run(options.home, port_base=options.port_base, report=options.report, keep=not options.down, only_prepare=options.prepare))


if __name__ == "__main__":
    main()
