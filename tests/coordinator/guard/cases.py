"""Plans, portfolios and prices for the tests of the guard, all under the configuration of tests/coordinator/config."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from bridges.base import Lane, Leg, Quote
from chains.tokens import Amount, Token
from coordinator.config.load import load_text
from coordinator.plan import Cost, Plan, PlannedLeg
from policies.base import Portfolio, Position, Price, Prices

NOW = 1_800_000_000
TREASURY = load_text((Path(__file__).parents[1] / "config" / "treasury.yaml").read_text(), Path("treasury.yaml"), {})
WORTH = {"USDC": Fraction(1), "ETH": Fraction(3000), "SOL": Fraction(150)}


def token(name: str) -> Token:
    found = TREASURY.token_named(name)
    assert found is not None
    return found


def amount(name: str, whole: str) -> Amount:
    return Amount.parse(token(name), whole)


def prices(**changed: Any) -> Prices:
    """Prices of now; an asset set to None is refused."""
    values = {**WORTH, **changed}
    known = {a: Price(a, Fraction(v), NOW, ("test",)) for a, v in values.items() if v is not None}
    return Prices(known, {a: "sources disagree" for a, v in values.items() if v is None})


def portfolio(seen: Prices | None = None, time: int = NOW, **held: str) -> Portfolio:
    """What the treasury holds, whole tokens by `chain_ASSET`."""
    whole = {"alpha_USDC": "6_000", "beta_USDC": "1_000", "alpha_ETH": "1", "beta_ETH": "1", "sol_SOL": "10", "alpha_WETH": "2", **held}
    positions = tuple(
        Position(t, Amount.parse(t, whole.get(TREASURY.names[t.id].replace(".", "_"), "0")).units) for t in TREASURY.tokens.values()
    )
    return Portfolio(positions, seen or prices(), time)


def leg(gives: Amount, takes: Amount, **changed: Any) -> PlannedLeg:
    """A leg with an honest quote; `changed` goes to the leg, `fees`, `after` and `rail` apart."""
    fees = changed.pop("fees", ())
    lane = Lane(f"test/{gives.token}/{takes.token}", changed.pop("rail", "cctp"), gives.token, takes.token)
    quote = Quote(lane, gives, takes, fees, 1, 10**30, 60)
    terms: dict[str, Any] = {
        "id": "0" * 31 + "1",
        "lane": lane,
        "gives": gives,
        "least": takes,
        "sender": TREASURY.accounts[gives.token.chain],
        "recipient": TREASURY.accounts[takes.token.chain],
        "deadline": NOW + 900,
        **changed,
    }
    return PlannedLeg(Leg(**terms), quote, (), "test")


def plan(*legs: PlannedLeg, **changed: Any) -> Plan:
    terms: dict[str, Any] = {
        "id": "p",
        "treasury": "acme",
        "config": TREASURY.config_hash,
        "created": NOW,
        "expires": NOW + 900,
        "heights": {},
        "before": portfolio(),
        "targets": TREASURY.targets,
        "legs": legs,
        "status": "optimal",
        "violation": Fraction(0),
        "hops_bound": 1,
        "cost": Cost(Fraction(0), Fraction(0), Fraction(0)),
        "unmet": (),
        **changed,
    }
    return Plan(**terms)


def bridge(gives: str = "1_000", takes: str = "999", fee: str = "0.001", **changed: Any) -> PlannedLeg:
    """USDC from alpha to beta, with a network fee on alpha."""
    return leg(amount("alpha.USDC", gives), amount("beta.USDC", takes), fees=(amount("alpha.ETH", fee),), **changed)
