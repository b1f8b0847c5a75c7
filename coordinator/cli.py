"""The command line: words, options and help. Bodies live in `coordinator.commands`, imported when their command runs."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from coordinator.commands.backtest_terms import Asked

if TYPE_CHECKING:
    from coordinator.commands.session import Session, Work
    from coordinator.exits import Exit

app = App(
    name="coordinator",
    help="Keeps a treasury spread over many chains at its targets, with as few bridge hops as possible.\n\n"
    "First look: coordinator demo. Daily loop: status, plan --out FILE, show FILE, apply FILE.",
    version_flags=["--version"],
)
audit = App(name="audit", help="Prove what happened.")
app.command(audit)
app.command(
    "coordinator.signer.command:signer",
    name="signer",
    help="The process that holds the keys: run it, or write the policy that it obeys.",
)
app.command(
    "coordinator.commands.staying:serve",
    name="serve",
    help="The dashboard in a browser: pages, JSON (/api/v1/status) and Prometheus metrics (/metrics). It holds no key and only looks.\n\n"
    "Example: `coordinator serve --port 8787`, then open http://127.0.0.1:8787",
)
app.command(
    "coordinator.commands.staying:run",
    name="run",
    help="The daemon: looks again and again; when a trigger says that it is time and no rule stands against it, plans and applies.\n\n"
    "One daemon a journal; never beside apply. SIGTERM: finishes what was begun, --grace seconds at most, and ends with 0.\n\n"
    "Example: `coordinator run --every 60 --port 8787`, and to see what it would do: `coordinator run --once --dry-run`",
)

Config = Annotated[Path, Parameter(name=["--config", "-c"], help="The treasury's configuration.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Data for machines on stdout; all else on stderr.")]
Seconds = Annotated[float, Parameter(validator=Number(gt=0))]
DEFAULT = Path("treasury.yaml")
ASKED = Asked()
LONG_LIVED = 50_000  # objects between two searches for dead ones: what is loaded at the start lives on, and searching it costs a tenth


@app.command
def status(*, config: Config = DEFAULT, json: Json = False) -> int:
    """NAV, weights against bands, holdings, what is in flight, and how old everything is.

    Example: `coordinator status --config treasury.yaml --json`
    """
    from coordinator.commands import looking

    return _perform(config, json, looking.status)


@app.command
def plan(
    *,
    config: Config = DEFAULT,
    out: Annotated[Path | None, Parameter(help="Write the plan to this file.")] = None,
    if_due: Annotated[bool, Parameter(negative="", help="Plan only when a trigger says it is time.")] = False,
    deadline: Annotated[Seconds, Parameter(help="Seconds the solver may take.")] = 30.0,
    json: Json = False,
) -> int:
    """What would bring the treasury inside its bands: fewest bridge hops first, then cost. Sends nothing.

    Exit 0: nothing to do. 10: a plan is waiting. 12: blocked, the reason is said.

    Example: `coordinator plan --out plan.json`, and for cron: `coordinator plan --if-due --out plan.json`
    """
    from coordinator.commands import planning

    return _perform(config, json, lambda session: planning.plan(session, out, if_due, deadline))


@app.command
def show(file: Path, *, config: Config = DEFAULT, json: Json = False) -> int:
    """Show a plan file, stale ones too.

    Example: `coordinator show plan.json`
    """
    from coordinator.commands import looking

    return _perform(config, json, lambda session: looking.show(session, file))


@app.command
def apply(
    file: Path | None = None,
    /,
    *,
    config: Config = DEFAULT,
    resume: Annotated[bool, Parameter(negative="", help="Finish what was begun; needs no plan file.")] = False,
    timeout: Annotated[Seconds | None, Parameter(help="Seconds to watch; what is begun goes on with --resume.")] = None,
    replan: Annotated[
        int, Parameter(validator=Number(gte=0), help="How often to plan again from where value rests, when legs did not happen.")
    ] = 0,
    json: Json = False,
) -> int:
    """Carry out a plan, once, if the world still is as the plan saw it.

    Exit 0: delivered. 13: stale or applied before. 12: refused by a rule. 14: a person is needed. 15: some legs did not happen.

    Example: `coordinator apply plan.json`, and after a crash or Ctrl-C: `coordinator apply --resume`
    """
    from coordinator.commands import applying
    from coordinator.exits import Exit
    from coordinator.show.output import Output

    if (file is None) == (not resume):
        Output(json).error("give either a plan file or --resume: coordinator apply plan.json, or coordinator apply --resume")
        return Exit.USAGE
    return _perform(config, json, lambda session: applying.apply(session, file, timeout, replan))


@app.command
def unpark(
    leg: str,
    *,
    reason: Annotated[str, Parameter(help="Why it may go on; kept in the journal.")],
    config: Config = DEFAULT,
    json: Json = False,
) -> int:
    """Let a leg go on that stopped for a person (exit 14), after you have looked. Sends nothing itself.

    Example: `coordinator unpark 3fa9c1d2 --reason "key rotated, the foreign transaction was ours"`
    """
    from coordinator.commands.unparking import unpark as body

    return _perform(config, json, lambda session: body(session, leg, reason))


@app.command
def transfers(*, config: Config = DEFAULT, json: Json = False) -> int:
    """Every leg ever begun: where it stands, what it moved, by which transactions.

    Example: `coordinator transfers`, with every transaction: `coordinator transfers --json`
    """
    from coordinator.commands import looking

    return _perform(config, json, looking.transfers)


@app.command
def ledger(
    *,
    config: Config = DEFAULT,
    last: Annotated[int, Parameter(validator=Number(gte=1), help="How many of the newest entries.")] = 20,
    json: Json = False,
) -> int:
    """Balances of every account, and the newest entries behind them.

    Example: `coordinator ledger --last 50`
    """
    from coordinator.commands import looking

    return _perform(config, json, lambda session: looking.ledger(session, last))


@app.command
def doctor(*, config: Config = DEFAULT, json: Json = False) -> int:
    """Check everything a plan will need; each finding says how to mend it.

    Exit 0: nothing to mend. 1: something is.

    Example: `coordinator doctor`
    """
    from coordinator.commands.doctor import doctor as body

    return _perform(config, json, body)


@app.command(name="why-not")
def why_not(
    *,
    config: Config = DEFAULT,
    last: Annotated[
        int | None, Parameter(validator=Number(gte=1), help="The newest so many recorded decisions, without a look at the chains.")
    ] = None,
    json: Json = False,
) -> int:
    """Which gate keeps the treasury from acting, and the smallest change that would open it.

    Exit 0: not acting, each shut gate is named. 10: it is time to act.

    Example: `coordinator why-not`, and for the newest ten decisions: `coordinator why-not --last 10`
    """
    from coordinator.commands import why_not as body

    async def recorded(session: Session) -> Exit:
        return body.last(session, last or 1)

    return _perform(config, json, body.why_not if last is None else recorded)


@app.command
def stress(
    *,
    config: Config = DEFAULT,
    depth: Annotated[str, Parameter(help="Pool depth by asset, as in ETH=$5m,SOL=$800k; without it exits are unknown.")] = "",
    impact: Annotated[str, Parameter(help="Most price impact of one exit trade.")] = "1%",
    refill: Annotated[str, Parameter(help="Until arbitrage has refilled a pool.")] = "10m",
    cost: Annotated[str, Parameter(help="Cost of a trade, of its size.")] = "10bps",
    per_leg: Annotated[str, Parameter(help="Cost of every asset traded, as in $2.")] = "$0",
    json: Json = False,
) -> int:
    """The treasury as it is now through shocks: what the policy would do, the worst loss, and how long leaving takes.

    Example: `coordinator stress --depth ETH=$5m`
    """
    from coordinator.commands import stress as body
    from coordinator.commands.session import perform
    from coordinator.show.output import Output

    words = body.Words(depth, impact, refill, cost, per_leg)
    return perform(config, Output(json), lambda session: body.stress(session, words))


@app.command
def backtest(
    prices: Annotated[Path | None, Parameter(help="A CSV file of recorded prices: time,BTC,ETH or time,asset,close; plain or .gz.")] = None,
    /,
    *,
    asked: Annotated[Asked, Parameter(name="*")] = ASKED,
    config: Annotated[
        Path | None, Parameter(name=["--config", "-c"], help="A treasury: its targets, and its policy as `treasury`.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="Write the tearsheets to this file.")] = None,
    replay: Annotated[bool, Parameter(negative="", help="Decide again on a treasury's recorded decisions instead of prices.")] = False,
    json: Json = False,
) -> int:
    """Policies over recorded prices, with costs: the same decision function as live. Or a recorded run, decided again.

    Example: coordinator backtest prices.csv --policy threshold:5pp --policy two-band:5pp/2.5pp --cost 10bps
    """
    from coordinator.commands import backtesting
    from coordinator.config.errors import ConfigErrors
    from coordinator.config.load import load
    from coordinator.exits import Exit
    from coordinator.show.output import Output

    voice = Output(json)
    if (prices is None) == (not replay):
        voice.error("give either a price file or --replay: coordinator backtest prices.csv, or coordinator backtest --replay")
        return Exit.USAGE
    try:
        treasury = load(config or DEFAULT) if config or replay else None
    except ConfigErrors as errors:
        voice.error(str(errors))
        return Exit.USAGE
    if prices is None:
        return backtesting.replay(treasury or load(DEFAULT), voice)
    return backtesting.backtest(prices, asked, treasury, voice, out)


@app.command
def solve(
    instance: Path,
    *,
    deadline: Annotated[Seconds | None, Parameter(help="Seconds; the best plan found by then is given with its proven bounds.")] = None,
    verify: Annotated[Path | None, Parameter(help="Check this answer against the instance instead of solving.")] = None,
    graph: Annotated[Path | None, Parameter(help="Also write the lane graph with the plan's flows, as GraphML.")] = None,
    json: Json = False,
) -> int:
    """Plan an instance file without any network (format: coordinator/planner/README.md).

    Example: `coordinator solve instance.json --json > answer.json`, and to check it: `coordinator solve instance.json --verify answer.json`
    """
    from coordinator.commands import planning

    return planning.solve(instance, deadline, verify=verify, graph=graph, as_json=json)


@app.command
def demo(
    *,
    home: Annotated[Path, Parameter(help="Where the local network and the demo treasury live.")] = Path(".localnet"),
    keep: Annotated[bool, Parameter(help="Leave the local network up at the end, to look around.")] = True,
) -> int:
    """The main job on a local network of real contracts: needs a source checkout and node (see README).

    Example: `coordinator demo`
    """
    from coordinator.commands.demo import demo as body

    return body(home, keep)


@audit.command(name="verify")
def audit_verify(*, config: Config = DEFAULT, json: Json = False) -> int:
    """Check the journal's chain of hashes, event by event.

    Example: `coordinator audit verify`
    """
    from coordinator.commands import looking

    return _perform(config, json, looking.verify)


def _perform(config: Path, json: bool, work: Work) -> int:
    from coordinator.commands.session import perform
    from coordinator.show.output import Output

    return perform(config, Output(json), work)


def run(words: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's) and return its exit code."""
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as problem:
        sys.stderr.write(f"{problem}\nNothing was started. What there is: {_help_of(problem)}\n")
        return 2
    return int(code or 0)


def _help_of(problem: CycloptsError) -> str:
    """`coordinator plan --help` for a mistake in the words of `plan`."""
    return " ".join([*app.name, *(problem.command_chain or ()), "--help"])


def main() -> None:
    gc.set_threshold(LONG_LIVED)
    sys.exit(run())
