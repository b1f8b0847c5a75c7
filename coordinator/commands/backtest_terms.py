"""What `backtest` is asked for on the command line, as written; `backtesting` reads the quantities. Light: the command line imports it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter


@dataclass(frozen=True)
class Asked:
    """The words of the command line."""

    policy: Annotated[tuple[str, ...], Parameter(help="hold, threshold:5pp, two-band:5pp/2.5pp, calendar:7d, cost-bands:2, treasury.")] = ()
    weights: Annotated[str, Parameter(help="Ideals as in BTC=60%,ETH=40%; default: the treasury's, else equal.")] = ""
    cost: Annotated[str, Parameter(help="Cost of a trade, of its size.")] = "10bps"
    per_leg: Annotated[str, Parameter(help="Cost of every asset traded, as in $2.")] = "$0"
    value: Annotated[str, Parameter(help="NAV at the first bar.")] = "$1_000_000"
    delay: Annotated[str, Parameter(help="From decision to arrival, as in 30m.")] = ""
    entry: Annotated[bool, Parameter(negative="", help="Charge the purchase of the first portfolio too.")] = False
