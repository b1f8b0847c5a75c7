"""The shape of `treasury.yaml`: one strict pydantic model a section.

Chains, keys and rails bring their own models (`chains.registry`, `chains.keys`, `bridges.registry`). Every leaf arrives
as text; the models here make exact fractions and whole seconds of it. What needs the whole file is in `checks`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from chains.ids import TokenId
from chains.keys import KeyReference
from coordinator.config import quantities
from coordinator.config.quantities import Refused
from coordinator.config.tuning import BreakerSection, CronSection, GatesSection, TuningSection

VERSION = "1"
_FEED = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")


def _schema(kind: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "description": kind, "examples": [example]})


def _token(value: object) -> object:
    return TokenId.parse(value) if isinstance(value, str) else value


def _feed(value: object) -> str:
    text = str(value)
    if _FEED.fullmatch(text) is None:
        raise Refused(f'found "{text[:20]}{"…" if len(text) > 20 else ""}"', "a Pyth price feed id: 64 hex digits, with or without 0x")
    return text.removeprefix("0x").lower()


def _api(value: object) -> str:
    """An https address, or http on this machine. The message holds the host only: path and query may carry a key."""
    text = str(value)
    parts = urlsplit(text)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise Refused(f"found plain http to {parts.hostname}", "https; http only on this machine")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Refused("found no https address", "a URL as in https://hermes.pyth.network")
    return text.rstrip("/")


def read_moment(value: object) -> int:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refused(f'found "{value}"', "a moment with its time zone, as in 2027-01-31T00:00:00+00:00")
    return int(moment.astimezone(UTC).timestamp())


Usd = Annotated[Fraction, PlainValidator(quantities.usd), _schema("US dollars", "$25_000")]
Share = Annotated[Fraction, PlainValidator(quantities.share), _schema("a share of NAV", "45%")]
Points = Annotated[Fraction, PlainValidator(quantities.points), _schema("percentage points of NAV", "5pp")]
Rate = Annotated[Fraction, PlainValidator(quantities.rate), _schema("a rate", "50bps")]
Number = Annotated[Fraction, PlainValidator(quantities.positive), _schema("a decimal number", "1.00")]
Duration = Annotated[int, PlainValidator(quantities.duration), _schema("a duration", "1h")]
Moment = Annotated[int, PlainValidator(read_moment), _schema("a moment with its time zone", "2027-01-31T00:00:00+00:00")]
FeedId = Annotated[str, PlainValidator(_feed), _schema("a Pyth price feed id", "0x" + 4 * "…")]
Api = Annotated[str, PlainValidator(_api), _schema("an https address", "https://hermes.pyth.network")]
TokenKey = Annotated[TokenId, BeforeValidator(_token), _schema("a CAIP-19 token id", "eip155:1/erc20:0xA0b8…")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Section(BaseModel):
    """Unknown keys are refused; nothing changes once read; errors never hold the input."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, defer_build=True)


class StateModel(Section):
    """Where the journal lies. Default: the user's state directory, one folder a treasury."""

    database: str | None = None


class SignerModel(Section):
    """Who holds the keys: this process, or one of its own with its own policy. `socket`: of a signer that somebody else starts.

    `policy`: the file that `coordinator signer policy` writes (default: beside the journal). `price_tolerance`: how far prices may move
    before it must be written again. `message_fee`: most native coin, in whole coins, sent along with one message of a bridge.
    """

    kind: Literal["in-process", "process"] = "in-process"
    socket: str | None = None
    policy: str | None = None
    price_tolerance: Rate = Fraction(1, 10)
    message_fee: Number = Fraction(1, 100)


class AccountModel(Section):
    """The treasury's account on one chain. Without `key` it is watched, and plans that send from it cannot be applied."""

    address: str
    key: KeyReference | None = None


class ChainlinkModel(Section):
    """A Chainlink aggregator on a configured EVM chain."""

    kind: Literal["chainlink"]
    chain: str
    feed: str
    max_age: Duration | None = None


class PythModel(Section):
    """A Pyth feed, asked over a Hermes API. `max_conf`: widest confidence interval, relative to the price."""

    kind: Literal["pyth"]
    url: Api
    feed: FeedId
    max_age: Duration | None = None
    max_conf: Rate = Fraction(1, 100)


class ManualModel(Section):
    """A price that a person states, until a moment. For simulated chains and assets without a feed."""

    kind: Literal["manual"]
    value: Number
    until: Moment


class PegModel(Section):
    """What the asset should be worth in US dollars. Further away than `tolerance` it is depegged: no price, no trade."""

    value: Number
    tolerance: Rate


SourceModel = Annotated[ChainlinkModel | PythModel | ManualModel, Field(discriminator="kind")]


class AssetModel(Section):
    """How an asset is priced. `need`: how many sources must answer (default: all of them). They must agree within `max_deviation`."""

    prices: tuple[SourceModel, ...] = Field(min_length=1)
    combine: Literal["median", "first"] = "median"
    need: int | None = Field(default=None, ge=1)
    max_age: Duration = 3600
    max_deviation: Rate = Fraction(1, 100)
    peg: PegModel | None = None

    @model_validator(mode="after")
    def _attainable(self) -> Self:
        if self.need is not None and self.need > len(self.prices):
            raise Refused(f"need is {self.need}, but {len(self.prices)} price source(s) are listed", f"1 to {len(self.prices)}")
        return self


class TokenModel(Section):
    """An asset on one chain. `decimals` is compared with the chain. `form` tells apart two tokens of one asset on one chain."""

    id: TokenKey
    asset: str
    decimals: int = Field(ge=0, le=36)
    form: str | None = Field(default=None, min_length=1)


class BandModel(Section):
    """A weight and how far it may stray: `band` on both sides, or `low` and `high`."""

    target: Share
    band: Points | None = None
    low: Share | None = None
    high: Share | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.band is None) == (self.low is None and self.high is None):
            raise Refused("the width of the band is not clear", "either band: 5pp, or low and high")
        if not self.lowest <= self.target <= self.highest:
            raise Refused(f"target {quantities.show_share(self.target)} lies outside its band", "low <= target <= high")
        return self

    @property
    def lowest(self) -> Fraction:
        return max(Fraction(0), self.target - self.band) if self.band is not None else self.low or Fraction(0)

    @property
    def highest(self) -> Fraction:
        if self.band is not None:
            return min(Fraction(1), self.target + self.band)
        return self.high if self.high is not None else Fraction(1)


class ChainBandModel(Section):
    """Least and most of NAV that may lie on a chain."""

    low: Share | None = None
    high: Share | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.low is None and self.high is None:
            raise Refused("the band says nothing", "low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise Refused(f"low {quantities.show_share(self.low)} is above high {quantities.show_share(self.high)}", "low <= high")
        return self


class UnitsModel(Section):
    """Least and most of one token, in whole tokens: "1_000" or "1_000 USDC"."""

    floor: str | None = None
    cap: str | None = None


class TargetsModel(Section):
    """What the owner wants."""

    assets: dict[str, BandModel] = Field(min_length=1)
    chains: dict[str, ChainBandModel] = Field(default_factory=dict)
    tokens: dict[str, UnitsModel] = Field(default_factory=dict)


class DriftModel(Section):
    """Act when a weight lies further than `beyond` outside its band."""

    beyond: Points = Fraction(0)


class TriggersModel(Section):
    """When to act: any one is enough, if every gate is open too."""

    drift: DriftModel | None = None
    interval: Duration | None = None
    cron: CronSection | None = None
    gates: GatesSection = Field(default_factory=GatesSection)

    @model_validator(mode="after")
    def _any(self) -> Self:
        if self.drift is None and self.interval is None and self.cron is None:
            raise Refused("no trigger is given", "drift, interval, cron or several", "write drift: {beyond: 0pp}")
        return self


class LimitsModel(Section):
    """What no plan may exceed, whatever it was made for. Recipients are not here: value goes to the treasury's accounts only."""

    per_leg: Usd
    per_turn: Usd
    per_day: Usd
    cost: Usd
    slippage: Rate

    @model_validator(mode="after")
    def _nested(self) -> Self:
        if not self.per_leg <= self.per_turn <= self.per_day:
            found = ", ".join(quantities.show_usd(limit) for limit in (self.per_leg, self.per_turn, self.per_day))
            raise Refused(f"per_leg, per_turn, per_day are {found}", "per_leg <= per_turn <= per_day")
        return self


class EnvelopeModel(Section):
    """How far the world may move between plan and apply. `balance_move`: relative to NAV."""

    cost: Usd
    price_move: Rate = Fraction(1, 100)
    balance_move: Rate = Fraction(1, 1000)


class PlanModel(Section):
    """How long a plan may be applied, how long after that its last leg may start, and its envelope."""

    ttl: Duration = 900
    start_within: Duration = 86400
    envelope: EnvelopeModel


class Document(Section):
    """A whole `treasury.yaml`, version 1. `chains` and `rails` are checked by the models of their kinds."""

    version: Literal["1"]
    name: Name
    state: StateModel = Field(default_factory=StateModel)
    signer: SignerModel = Field(default_factory=SignerModel)
    chains: dict[str, Any] = Field(min_length=1)
    accounts: dict[str, AccountModel]
    assets: dict[str, AssetModel] = Field(min_length=1)
    tokens: dict[str, TokenModel] = Field(min_length=1)
    policy: str = "bands"
    tuning: TuningSection | None = None
    breakers: dict[str, BreakerSection] = Field(default_factory=dict)
    targets: TargetsModel
    triggers: TriggersModel
    limits: LimitsModel
    plan: PlanModel
    rails: dict[str, Any]
