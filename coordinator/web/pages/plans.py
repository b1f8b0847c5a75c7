"""Plans: those that were begun, and one in full with its flow of value, its routes, its cost and what happens if a leg stops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from chains.ids import ChainId
from coordinator.config.quantities import show_rate, show_usd
from coordinator.drafting import after
from coordinator.plan import Plan
from coordinator.views import plan as view
from coordinator.views.words import Names, percent, usd
from coordinator.web.drawing.flows import Flow, sankey
from coordinator.web.drawing.routes import routes
from coordinator.web.records import Run
from coordinator.web.watcher import Watcher
from policies.base import Portfolio


def plans(watcher: Watcher) -> dict[str, Any]:
    rows = [
        {
            "id": run.plan.id,
            "saga": run.saga.id,
            "created": run.plan.created,
            "legs": len(run.plan.legs),
            "hops": run.plan.hops,
            "hops_bound": run.plan.hops_bound,
            "cost": usd(run.plan.cost.total),
            "outcome": run.outcome,
            "continues": run.plan.continues,
        }
        for run in watcher.records.runs
    ]
    return {"rows": rows}


def plan(watcher: Watcher, run: Run) -> dict[str, Any]:
    names = Names(watcher.app.treasury)
    shown = view.plan(run.plan, names)
    envelope = watcher.app.treasury.plan.envelope
    chains = [row["name"] for row in shown["chains"]]
    return {
        "plan": shown,
        "run": run,
        "sankey": _flows(run.plan, names) if shown["legs"] else None,
        "routes": routes(chains, shown["legs"]) if shown["legs"] else None,
        "envelope": [
            ("cost", show_usd(envelope.cost)),
            ("price of any asset", f"{show_rate(envelope.price_move)} either way"),
            ("balance of any token", f"{show_rate(envelope.balance_move)} of NAV either way"),
        ],
        "heights": [(names.chain(chain), height.number, height.time) for chain, height in run.plan.heights.items()],
    }


def _flows(plan: Plan, names: Names) -> Any:
    """What leaves a chain is worth what arrives; the rest of what lay there before stays. Costs are below the drawing's grain."""
    then = after(plan)
    before_usd, after_usd = _by_chain(plan.before), _by_chain(then)
    moved: defaultdict[tuple[ChainId, ChainId], float] = defaultdict(float)
    for planned in plan.legs:
        lane = planned.leg.lane
        if lane.source.chain != lane.target.chain:
            moved[lane.source.chain, lane.target.chain] += float(plan.before.prices.value(planned.quote.takes))
    flows = []
    for chain, value in before_usd.items():
        left = sum(amount for (source, _), amount in moved.items() if source == chain)
        stays = max(0.0, value - left)
        name = names.chain(chain)
        flows.append(Flow(name, name, stays, f"${stays:,.0f} stays on {name}"))
    flows += [
        Flow(names.chain(s), names.chain(t), amount, f"${amount:,.0f} from {names.chain(s)} to {names.chain(t)}")
        for (s, t), amount in moved.items()
    ]
    labels = {**_labels("before", plan.before, before_usd, names), **_labels("after", then, after_usd, names)}
    return sankey([names.chain(chain) for chain in before_usd], flows, labels)


def _by_chain(portfolio: Portfolio) -> dict[ChainId, float]:
    values: dict[ChainId, float] = {}
    for position in portfolio.positions:
        values[position.token.chain] = values.get(position.token.chain, 0.0) + float(portfolio.worth(position))
    return values


def _labels(when: str, portfolio: Portfolio, values: Mapping[ChainId, float], names: Names) -> dict[tuple[str, str], str]:
    weights = portfolio.chain_weights()
    return {(when, names.chain(chain)): f"${value:,.0f}  {percent(weights.get(chain))} %" for chain, value in values.items()}
