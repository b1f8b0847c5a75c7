"""The sections `tuning` and `breakers`, and the triggers beyond drift and interval: their models, and the domain objects they become."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from coordinator.config import quantities
from coordinator.config.quantities import Refused
from policies.schedule import BadSchedule, Blackout, Cron, CronTrigger

if TYPE_CHECKING:  # at run time they are imported where they are built: they bring numpy, which most treasuries never need
    from policies.base import Policy, Trigger
    from policies.breakers.conditions import Condition
    from policies.breakers.policy import Breaker
    from policies.gates import GateRule
    from policies.risk.model import RiskModel
    from policies.tuning import Tuning

_PERCENT = re.compile(r"(?P<sign>-?)\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*%")


def _yearly(value: object) -> Fraction:
    """A yearly figure, which may be above 100% or, for returns, below zero."""
    match = _PERCENT.fullmatch(str(value).strip())
    if match is None:
        raise Refused(f'found "{value}"', "a yearly figure in percent, as in 80%")
    return Fraction(match["number"]) / 100 * (-1 if match["sign"] else 1)


def _volatility(value: Fraction) -> Fraction:
    if value < 0:
        raise Refused(f'found "{float(value):.1%}"', "zero or above")
    return value


def _moment(value: object) -> int:
    from coordinator.config.model import read_moment  # late: the models of the document hold the sections here

    return read_moment(value)


def _schema(kind: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "description": kind, "examples": [example]})


Yearly = Annotated[Fraction, PlainValidator(_yearly), _schema("a yearly figure", "5%")]
Volatility = Annotated[Fraction, PlainValidator(_yearly), AfterValidator(_volatility), _schema("a yearly volatility", "80%")]
Usd = Annotated[Fraction, PlainValidator(quantities.usd), _schema("US dollars", "$2")]
Share = Annotated[Fraction, PlainValidator(quantities.share), _schema("a share of NAV", "45%")]
Points = Annotated[Fraction, PlainValidator(quantities.points), _schema("percentage points of NAV", "2pp")]
Rate = Annotated[Fraction, PlainValidator(quantities.rate), _schema("a rate", "10bps")]
Number = Annotated[Fraction, PlainValidator(quantities.positive), _schema("a decimal number", "2")]
Duration = Annotated[int, PlainValidator(quantities.duration), _schema("a duration", "72h")]
Moment = Annotated[int, PlainValidator(_moment), _schema("a moment with its time zone", "2027-01-31T00:00:00+00:00")]
Assets = Annotated[frozenset[str], BeforeValidator(lambda value: frozenset(value) if isinstance(value, list | tuple) else value)]


class Section(BaseModel):
    """Unknown keys are refused; nothing changes once read; errors never hold the input."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, defer_build=True)


class RiskSection(Section):
    """Either stated: `volatility` by asset and one `correlation`; or observed: `halflife` and `memory` of remembered prices."""

    volatility: dict[str, Volatility] | None = None
    correlation: Rate = Fraction(0)
    halflife: Duration | None = None
    memory: Duration | None = None
    least: Annotated[int, Field(ge=2)] = 30

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.volatility is None) == (self.halflife is None):
            raise Refused("the source of risk is not clear", "either volatility: {ETH: 80%, …}, or halflife and memory")
        return self

    def model(self) -> RiskModel:
        from policies.risk.model import ObservedRisk, StatedRisk

        if self.volatility is not None:
            return StatedRisk(self.volatility, self.correlation)
        halflife = self.halflife or 0
        return ObservedRisk(halflife, self.memory or 10 * halflife, self.least)


class CostsSection(Section):
    """What a trade costs: `proportional` of its size, and so much `per_leg`; `depth`: one side of the pool it meets."""

    proportional: Rate
    per_leg: Usd = Fraction(0)
    by_asset: dict[str, Usd] = Field(default_factory=dict)
    depth: dict[str, Usd] = Field(default_factory=dict)


class IntentSection(Section):
    """The outcome that is wanted: every line is a limit, and one that is left out asks for nothing."""

    volatility: Volatility | None = None
    drawdown: Share | None = None
    horizon_years: Number = Fraction(1)
    stable: Share | None = None
    stables: Assets = frozenset()
    tracking: Share | None = None


class TuningSection(Section):
    """What the policy, and a cost gate, reckon with."""

    risk: RiskSection | None = None
    costs: CostsSection | None = None
    aversion: Number = Fraction(1)
    landing: Literal["inner", "edge", "target"] = "inner"
    width: Points = Fraction(2, 100)
    expected: dict[str, Yearly] = Field(default_factory=dict)
    intent: IntentSection | None = None

    def tuning(self) -> Tuning:
        from policies.cost_bands import Costs
        from policies.intent import Intent
        from policies.risk.model import StatedRisk
        from policies.tuning import Tuning

        costs = self.costs
        intent = self.intent or IntentSection()
        return Tuning(
            self.risk.model() if self.risk else StatedRisk({}),
            Costs(costs.proportional, costs.per_leg, costs.by_asset, costs.depth) if costs else Costs(Fraction(0)),
            self.aversion,
            self.landing,
            self.width,
            self.expected,
            Intent(intent.volatility, intent.drawdown, intent.horizon_years, intent.stable, intent.stables, intent.tracking),
        )

    def assets(self) -> dict[tuple[str, ...], list[str]]:
        """Every asset that is named, by where."""
        named: dict[tuple[str, ...], list[str]] = {("expected",): list(self.expected)}
        if self.intent:
            named["intent", "stables"] = sorted(self.intent.stables)
        if self.risk and self.risk.volatility:
            named[("risk", "volatility")] = list(self.risk.volatility)
        if self.costs:
            named |= {("costs", "by_asset"): list(self.costs.by_asset), ("costs", "depth"): list(self.costs.depth)}
        return named


class WaySection(Section):
    """How a breaker opens: `quiet` that long without reason, `calm`: within the calm level, `owner`: a person writes `reopened`."""

    quiet: Duration | None = None
    calm: bool = False
    owner: bool = False
    reopened: Moment | None = None

    @model_validator(mode="before")
    @classmethod
    def _booleans(cls, value: Any) -> Any:
        return {k: {"true": True, "false": False}.get(str(v), v) for k, v in value.items()} if isinstance(value, dict) else value


class BreakerSection(Section):
    """`when` something is beyond `by` (within the last `within`), do `then`, `until` a way back; `calm_at`: what counts as calm."""

    when: Literal["fall", "rise", "depeg", "volatility", "disagreement", "loss", "jump"]
    by: Volatility
    within: Duration | None = None
    calm_at: Volatility | None = None
    then: Literal["no-buy", "no-sell", "reduce-only", "freeze"]
    until: WaySection = Field(default_factory=WaySection)
    assets: Assets = frozenset()
    pegs: dict[str, Number] = Field(default_factory=dict)
    refuges: Assets = frozenset()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.when in {"fall", "rise", "volatility", "loss"} and self.within is None:
            raise Refused(f"a breaker on {self.when} needs a window", "within: 72h")
        if self.when == "depeg" and not self.pegs:
            raise Refused("a breaker on depeg needs what the assets should be worth", "pegs: {USDC: 1.00}")
        if self.calm_at is not None and self.calm_at > self.by:
            raise Refused("calm_at lies beyond by", "calm_at <= by, so that the breaker does not flicker")
        return self

    def breaker(self, name: str) -> Breaker:
        from policies.breakers.policy import Breaker, WayBack

        way = WayBack(self.until.quiet or 0, self.until.calm, self.until.owner, self.until.reopened)
        return Breaker(name, self._condition(), self.then, way, self.assets)

    def _condition(self) -> Condition:
        from policies.breakers.conditions import Depeg, Disagreement, Jump, Loss, PriceMove, Turbulence

        calm, within = self.by if self.calm_at is None else self.calm_at, self.within or 0
        match self.when:
            case "fall" | "rise":
                return PriceMove(self.by, within, calm, self.when == "fall")
            case "depeg":
                return Depeg(self.pegs, self.by, calm)
            case "volatility":
                return Turbulence(self.by, within, calm)
            case "disagreement":
                return Disagreement(self.by, calm)
            case "loss":
                return Loss(self.by, within, calm)
            case "jump":
                return Jump(self.by)


def guarded(policy: Policy, breakers: dict[str, BreakerSection]) -> Policy:
    """The policy under its breakers; itself when there are none."""
    if not breakers:
        return policy
    from policies.breakers.policy import Guarded

    refuges = frozenset(asset for section in breakers.values() for asset in section.refuges)
    return Guarded(policy, tuple(section.breaker(name) for name, section in breakers.items()), refuges)


class CronSection(Section):
    """Recurring moments: `at` in cron's five fields, in a time `zone`; `catch_up`: how late one may still be acted on."""

    at: str
    zone: str = "UTC"
    catch_up: Duration | None = None

    @model_validator(mode="after")
    def _exists(self) -> Self:
        try:
            Cron(self.at, self.zone)
        except BadSchedule as problem:
            raise Refused(str(problem)) from None
        return self

    def trigger(self) -> Trigger:
        return CronTrigger(Cron(self.at, self.zone), self.catch_up)


class BlackoutSection(Section):
    """Nothing is begun for so long (`lasting`) from every moment of `at` on."""

    at: str
    zone: str = "UTC"
    lasting: Duration

    @model_validator(mode="after")
    def _exists(self) -> Self:
        try:
            Cron(self.at, self.zone)
        except BadSchedule as problem:
            raise Refused(str(problem)) from None
        return self


class GatesSection(Section):
    """What must hold besides a trigger: a pause since the last plan, no blackout, and more benefit than cost over `worth_over`.

    `optimal_over`: only when no certificate says that holding is optimal for the risk of that long.
    """

    cool_down: Duration | None = None
    blackouts: tuple[BlackoutSection, ...] = ()
    worth_over: Duration | None = None
    optimal_over: Duration | None = None

    def gated(self, trigger: Trigger, tuning: Tuning | None) -> Trigger:
        if self == GatesSection():
            return trigger
        from policies.gates import CoolDown, CostGate, Gated, OptimalGate

        gates: list[GateRule] = [CoolDown(self.cool_down)] if self.cool_down is not None else []
        gates += [Blackout(Cron(b.at, b.zone), b.lasting) for b in self.blackouts]
        if self.worth_over is not None and tuning is not None:
            gates.append(CostGate(tuning.risk, tuning.aversion, self.worth_over, tuning.costs.proportional, tuning.costs.per_leg))
        if self.optimal_over is not None and tuning is not None:
            gates.append(OptimalGate(tuning.risk, tuning.aversion, self.optimal_over, tuning.costs.proportional))
        return Gated(trigger, tuple(gates))
