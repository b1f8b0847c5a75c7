"""What a policy may be tuned with beyond its bands: risk, costs, aversion, and an intent. Each policy takes what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from chains.tokens import AssetId
from policies.cost_bands import Costs
from policies.intent import Intent
from policies.risk.model import RiskModel, StatedRisk


@dataclass(frozen=True, slots=True)
class Tuning:
    """`width`: half-width of bands around reckoned ideals. `expected`: yearly returns. `landing`: inner, edge or target."""

    risk: RiskModel = field(default_factory=lambda: StatedRisk({}))
    costs: Costs = field(default_factory=lambda: Costs(Fraction(0)))
    aversion: Fraction = Fraction(1)
    landing: str = "inner"
    width: Fraction = Fraction(2, 100)
    expected: Mapping[AssetId, Fraction] = field(default_factory=dict)
    intent: Intent = field(default_factory=Intent)
