"""`stress`: the treasury as it is now through every shock, with its own policy, without sending anything."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from coordinator.commands.session import Session
from coordinator.config import quantities
from coordinator.config.quantities import Refused
from coordinator.exits import Exit

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Words:
    """The command line, as written. `depth` as in ETH=$5m,SOL=$800k: the value of one side of the pool an asset leaves through."""

    depth: str
    impact: str
    refill: str
    cost: str
    per_leg: str


async def stress(session: Session, words: Words) -> Exit:
    """Exit 0: reported. 2: a quantity cannot be read. 12: something has no price, so nothing can be reckoned."""
    from coordinator.turn import look
    from policies.drift import unpriced
    from policies.risk.covariance import BadEstimate
    from policies.stress.report import World, report

    out, treasury = session.out, session.treasury
    try:
        stable = frozenset(asset for asset, rule in treasury.assets.items() if rule.peg is not None)
        costs = quantities.rate(words.cost), quantities.usd(words.per_leg)
        depth, impact = _depths(words.depth, list(treasury.assets)), quantities.rate(words.impact)
        world = World(*costs, stable, depth, impact, quantities.duration(words.refill))
    except Refused as problem:
        out.error(str(problem))
        return Exit.USAGE
    async with session.app() as app:
        seen = await look(app)
        if refusal := unpriced(seen.portfolio):
            out.error(f"no stress: {refusal}")
            return Exit.BLOCKED
        try:
            found = report(seen.portfolio, treasury.policy, treasury.trigger, world)
        except BadEstimate as problem:
            out.error(f"no stress: {problem}")
            return Exit.BLOCKED
        names = {str(chain): settings.name for chain, settings in treasury.chains.items()}
    for row in found["outages"]:
        row["name"] = names[row["chain"]]
    out.data({"schema": "coordinator/stress@1", "treasury": treasury.name, **found}, draw)
    return Exit.OK


def _depths(text: str, known: list[str]) -> dict[str, Fraction]:
    found = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        asset, _, value = part.partition("=")
        if asset not in known:
            raise Refused(f'depth: "{asset}" is no asset of the treasury', ", ".join(known))
        found[asset] = quantities.usd(value)
    return found


def draw(view: dict[str, Any], console: Console) -> None:
    from coordinator.show.tables import age, table

    made = table("path", "loss", "held", "deepest", "trades", right=("loss", "held", "deepest", "trades"))
    for row in view["paths"]:
        made.add_row(row["path"], f"{row['loss']:.1%}", f"{row['held']:.1%}", f"{row['deepest']:.1%}", str(row["trades"]))
    console.print(made)
    console.print(f"worst: {view['worst']['loss']:.1%} of ${view['nav']:,.2f} in {view['worst']['path']}", markup=False)
    made = table("leave", "position", "within impact", "depth -90%", "at once", right=("position", "at once"))
    for row in view["exits"]:
        now, thin = row["now"], row["thin"]
        told = ["unknown depth" if way is None else f"{way['parts']} trades, {age(way['seconds'])}" for way in (now, thin)]
        made.add_row(row["asset"], f"${row['position']:,.0f}", *told, "-" if now is None else f"${now['at_once']:,.0f}")
    console.print(made)
    for row in view["outages"]:
        console.print(f"{row['name']} or its bridges down: {row['stuck']:.1%} of NAV cannot be moved", markup=False)
