"""`backtest`: policies over recorded prices, each with its tearsheet; and the replay of recorded decisions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coordinator.commands.backtest_terms import Asked
from coordinator.config import quantities
from coordinator.config.quantities import Refused
from coordinator.config.treasury import Treasury
from coordinator.exits import Exit
from coordinator.show.output import Output
from policies.backtest.fast import backtest as run
from policies.backtest.fast import point_targets
from policies.backtest.run import Terms
from policies.backtest.tearsheet import tearsheet
from policies.base import Band, Policy, Targets, Trigger
from policies.cost_bands import CostBands, Costs
from policies.drift import BandPolicy, DriftTrigger, IntervalTrigger
from policies.panel import BadPrices, Panel, read
from policies.risk.model import ObservedRisk
from policies.stress.report import OnlyAssets

if TYPE_CHECKING:
    from rich.console import Console

KINDS = "hold, threshold:5pp, two-band:5pp/2.5pp, calendar:7d, cost-bands:2 (aversion), treasury"
HALFLIFE, MEMORY = 10 * 86_400, 60 * 86_400


class BadRequest(ValueError):
    """Something on the command line that cannot be done; the message says what is allowed."""


def backtest(prices: Path, asked: Asked, treasury: Treasury | None, out: Output, file: Path | None) -> Exit:
    """Every policy over the same prices and costs. Exit 2: a bad table or command line, told with where and how to mend it."""
    try:
        panel = open_panel(prices)
        weights = _weights(asked, panel, treasury)
        panel = panel.chosen(list(weights)).started()
        terms = _terms(asked, weights)
        named = asked.policy or (("treasury",) if treasury else ("hold", "threshold:5pp"))
        sheets = [tearsheet(name, run(panel, *_policy(name, weights, terms, treasury), terms)) for name in named]
    except (BadPrices, BadRequest, Refused) as problem:
        out.error(str(problem))
        return Exit.USAGE
    view = {"schema": "coordinator/backtest@1", "prices": prices.name, "terms": _told(terms), "tearsheets": sheets}
    out.data(view, draw)
    if file is not None:
        try:
            file.write_text(json.dumps(view, indent=1) + "\n", encoding="utf-8")
        except OSError as problem:
            out.error(f"{file}: cannot be written: {problem.strerror}; name a file in a folder that exists and is yours")
            return Exit.USAGE
        out.note(f"Saved {file}")
    return Exit.OK


def open_panel(path: Path) -> Panel:
    """A CSV file of prices, plain or gzipped."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            return read(lines, path.name)
    except (OSError, UnicodeDecodeError, EOFError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        raise BadPrices(f"{path}: cannot be read: {why}; give a CSV file, plain or .gz") from None


def _weights(asked: Asked, panel: Panel, treasury: Treasury | None) -> dict[str, Fraction]:
    """Ideals by asset: as written, else the treasury's, else equal ones of all assets of the table."""
    if asked.weights:
        parts = dict(part.partition("=")[::2] for part in asked.weights.split(","))
        weights = {asset.strip(): quantities.share(share) for asset, share in parts.items()}
    elif treasury is not None:
        weights = {asset: band.ideal or Fraction(0) for asset, band in treasury.targets.assets.items()}
    else:
        weights = {asset: Fraction(1, len(panel.assets)) for asset in panel.assets}
    if sum(weights.values()) != 1:
        raise BadRequest(f"weights sum to {float(sum(weights.values())):.4%}; they must sum to 100%, as in --weights BTC=60%,ETH=40%")
    return weights


def _terms(asked: Asked, weights: dict[str, Fraction]) -> Terms:
    delay = quantities.duration(asked.delay) if asked.delay else 0
    value, per_leg = quantities.usd(asked.value), quantities.usd(asked.per_leg)
    return Terms(value, quantities.rate(asked.cost), per_leg, asked.entry, delay, weights)


def _policy(name: str, weights: dict[str, Fraction], terms: Terms, treasury: Treasury | None) -> tuple[Policy, Trigger]:
    kind, _, rest = name.partition(":")
    points = {asset: Band(weight, weight, weight) for asset, weight in weights.items()}
    match kind:
        case "hold":
            return BandPolicy(Targets(points)), DriftTrigger(Fraction(2))
        case "threshold":
            return BandPolicy(point_targets(weights, quantities.points(rest))), DriftTrigger()
        case "two-band":
            outer, _, inner = rest.partition("/")
            return BandPolicy(two_bands(weights, quantities.points(outer), quantities.points(inner))), DriftTrigger()
        case "calendar":
            return BandPolicy(Targets(points)), IntervalTrigger(quantities.duration(rest))
        case "cost-bands":
            free = Targets({asset: Band(None, weight, None) for asset, weight in weights.items()})
            costs = Costs(terms.proportional, terms.per_leg)
            return CostBands(free, ObservedRisk(HALFLIFE, MEMORY), quantities.positive(rest or "1"), costs), DriftTrigger()
        case "treasury" if treasury is not None:
            return OnlyAssets(treasury.policy), treasury.trigger
    raise BadRequest(f'"{name}" is no policy to backtest; allowed: {KINDS}{"" if treasury else " (with --config)"}')


def two_bands(weights: dict[str, Fraction], outer: Fraction, inner: Fraction) -> Targets:
    """A trade starts beyond `outer` and stops at `inner`."""
    if inner > outer:
        raise BadRequest("a trade cannot stop further out than it starts: two-band:OUTER/INNER, as in two-band:5pp/2.5pp")
    started = point_targets(weights, outer)
    return replace(started, assets={asset: Band(weight - inner, weight, weight + inner) for asset, weight in weights.items()})


def _told(terms: Terms) -> dict[str, Any]:
    return {
        "value": float(terms.value),
        "proportional": float(terms.proportional),
        "per_leg": float(terms.per_leg),
        "entry": terms.entry,
        "delay_s": terms.delay,
        "weights": {asset: float(weight) for asset, weight in (terms.start or {}).items()},
    }


def draw(view: dict[str, Any], console: Console) -> None:
    from coordinator.show.tables import table

    sheets: Sequence[dict[str, Any]] = view["tearsheets"]
    figures = ("NAV", "TE/yr", "turnover", "trades", "legs", "cost", "bp/yr", "fall")
    made = table("policy", *figures, right=figures)
    for s in sheets:
        made.add_row(
            s["policy"],
            f"{s['value']['last']:,.0f}",
            "-" if s["tracking_error"] is None else f"{s['tracking_error']:.2%}",
            f"{s['turnover']:.3f}",
            str(s["rebalances"]),
            str(s["legs"]),
            f"{s['cost']['total']:,.0f}",
            "-" if s["cost_bp_per_year"] is None else f"{s['cost_bp_per_year']:.1f}",
            f"{s['drawdown']['share']:.1%}",
        )
    console.print(made)
    console.print("NAV and cost in USD; turnover: buys plus sells over the whole time, of NAV; fall: deepest from a high", markup=False)
    for s in sheets:
        if s["unpriced_bars"]:
            console.print(f"{s['policy']}: {s['unpriced_bars']} bars without all prices: nothing could be decided there", markup=False)
    gaps = sheets[0]["gaps"] if sheets else []
    if gaps:
        console.print(f"{len(gaps)} gaps in the prices, the longest {max(gap['seconds'] for gap in gaps) / 3600:.0f} h", markup=False)


def replay(treasury: Treasury, out: Output) -> Exit:
    """Decide again on every recorded decision: exit 0 when all come out the same, 1 when the configuration now says otherwise."""
    from coordinator.decisions import Decisions
    from policies.decide import replayed

    different, count = [], 0
    for record, targets, decision in replayed(treasury.policy, treasury.trigger, Decisions(treasury.database).records()):
        count += 1
        if (targets, decision) != (record.targets, record.decision):
            different.append({"time": record.portfolio.time, "was": record.decision.reason, "now": decision.reason})
    view = {"schema": "coordinator/replay@1", "decisions": count, "different": different}
    out.data(view, lambda data, console: console.print(f"{data['decisions']} decisions, {len(data['different'])} come out different now"))
    return Exit.ERROR if different else Exit.OK
