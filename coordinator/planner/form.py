"""The JSON form of a planning instance: parsed and checked once, at the border.

An error names the field, what was found and what is allowed. Unknown keys are refused where they would silently drop a
demand or a limit (`targets`, `limits`), and ignored elsewhere.
"""

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from coordinator.planner.instance import Band, Group, Instance, Lane, Limits, Segment, Token

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_INTEGER = re.compile(r"-?\d+")


class InstanceError(ValueError):
    """The instance cannot be read. The message lists each field, what was found there and what is allowed."""


def _decimal(found: object) -> Fraction:
    if isinstance(found, int) and not isinstance(found, bool):
        return Fraction(found)
    if isinstance(found, str) and len(found) <= 200 and _DECIMAL.fullmatch(found):
        return Fraction(found)
    raise ValueError('allowed: a decimal string such as "0.28"')


def _units(found: object) -> int:
    if isinstance(found, bool):
        raise ValueError('allowed: an integer string of base units such as "1000000"')
    if isinstance(found, int):
        return found
    if isinstance(found, str) and len(found) <= 200 and _INTEGER.fullmatch(found):
        return int(found)
    raise ValueError('allowed: an integer string of base units such as "1000000"')


def _positive(found: object) -> Fraction:
    value = _decimal(found)
    if value <= 0:
        raise ValueError("allowed: above zero")
    return value


def _share(found: object) -> Fraction:
    value = _decimal(found)
    if value < 0:
        raise ValueError("allowed: zero or more")
    return value


def _amount(found: object) -> int:
    value = _units(found)
    if value < 0:
        raise ValueError("allowed: zero or more base units")
    return value


Decimal = Annotated[Fraction, BeforeValidator(_decimal)]
Positive = Annotated[Fraction, BeforeValidator(_positive)]
Share = Annotated[Fraction, BeforeValidator(_share)]
Amount = Annotated[int, BeforeValidator(_amount)]


class _Loose(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore", frozen=True)


class _Strict(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid", frozen=True)


class _TokenForm(_Loose):
    id: str = Field(min_length=1)
    asset: str
    chain: str
    decimals: int = Field(ge=0, le=80)
    price: Positive


class _ShareBand(_Strict):
    low: Share | None = None
    high: Share | None = None


class _UnitBand(_Strict):
    low_units: Amount | None = None
    high_units: Amount | None = None


class _TargetsForm(_Strict):
    assets: dict[str, _ShareBand] = {}
    chains: dict[str, _ShareBand] = {}
    tokens: dict[str, _UnitBand] = {}


class _SegmentForm(_Loose):
    up_to: Amount
    rate: Share


class _LaneForm(_Loose):
    id: str = Field(min_length=1)
    rail: str = ""
    kind: Literal["bridge", "swap"]
    source: str
    target: str
    min: Amount = 0
    max: Amount
    fixed: Share = Fraction(0)
    schedule: list[_SegmentForm] = Field(min_length=1)
    latency_s: int = Field(default=0, ge=0)


class _LimitsForm(_Strict):
    turnover: Decimal | None = None
    cost: Decimal | None = None
    legs: int | None = None
    deadline_s: int | None = None


class _InstanceForm(_Loose):
    version: Literal[1]
    numeraire: str = "USD"
    tokens: list[_TokenForm]
    holdings: dict[str, Amount] = {}
    arriving: dict[str, Amount] = {}
    targets: _TargetsForm = _TargetsForm()
    lanes: list[_LaneForm] = []
    limits: _LimitsForm = _LimitsForm()


def read_instance(document: Mapping[str, Any]) -> Instance:
    """Check a parsed JSON document and turn it into an Instance; raises InstanceError."""
    try:
        form = _InstanceForm.model_validate(dict(document))
    except ValidationError as error:
        raise InstanceError("; ".join(_complaint(dict(item)) for item in error.errors(include_url=False)[:20])) from None
    _check_names(form)
    tokens = tuple(Token(t.id, t.asset, t.chain, t.decimals, t.price) for t in form.tokens)
    lanes = tuple(_lane(position, lane) for position, lane in enumerate(form.lanes))
    limits = Limits(form.limits.turnover, form.limits.cost, form.limits.legs, form.limits.deadline_s)
    bare = Instance(form.numeraire, tokens, form.holdings, form.arriving, (), lanes, limits)
    return Instance(form.numeraire, tokens, form.holdings, form.arriving, _bands(form.targets, bare), lanes, limits)


def load_instance(path: Path) -> Instance:
    """Read an instance file; raises InstanceError with the path and the reason."""
    document = load_document(path)
    try:
        return read_instance(document)
    except InstanceError as problem:
        raise InstanceError(f"{path}: {problem}") from None


def load_document(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file; raises InstanceError with the path and the reason."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InstanceError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InstanceError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(document, dict):
        raise InstanceError(f"{path}: found {type(document).__name__}, allowed: a JSON object")
    return document


def _lane(position: int, form: _LaneForm) -> Lane:
    edges = [segment.up_to for segment in form.schedule]
    rates = [segment.rate for segment in form.schedule]
    where = f"lanes.{position} ({form.id})"
    if form.source == form.target:
        raise InstanceError(f"{where}: source and target are both {form.source!r}, allowed: two different tokens")
    if any(b <= a for a, b in pairwise(edges)):
        raise InstanceError(f"{where}.schedule: up_to is {edges}, allowed: rising (it is cumulative)")
    if any(b > a for a, b in pairwise(rates)):
        raise InstanceError(f"{where}.schedule: a rate rises, allowed: rates that never rise")
    schedule = tuple(Segment(segment.up_to, segment.rate) for segment in form.schedule)
    return Lane(form.id, form.rail, form.kind, form.source, form.target, form.min, form.max, form.fixed, schedule, form.latency_s)


def _check_names(form: _InstanceForm) -> None:
    known = {token.id for token in form.tokens}
    if len(known) < len(form.tokens):
        raise InstanceError("tokens: two tokens share an id, allowed: each id once")
    if len({lane.id for lane in form.lanes}) < len(form.lanes):
        raise InstanceError("lanes: two lanes share an id, allowed: each id once")
    used = [(f"holdings.{name}", name) for name in form.holdings]
    used += [(f"arriving.{name}", name) for name in form.arriving]
    used += [(f"targets.tokens.{name}", name) for name in form.targets.tokens]
    for position, lane in enumerate(form.lanes):
        used += [(f"lanes.{position}.source", lane.source), (f"lanes.{position}.target", lane.target)]
    for where, name in used:
        if name not in known:
            raise InstanceError(f"{where}: found token {name!r}, allowed: the id of a token listed under tokens")


def _bands(form: _TargetsForm, bare: Instance) -> tuple[Band, ...]:
    bands: list[Band] = []
    groups: list[tuple[Group, dict[str, _ShareBand]]] = [("assets", form.assets), ("chains", form.chains)]
    for group, wanted in groups:
        for name, share in wanted.items():
            members = tuple(t.id for t in bare.tokens if (t.asset if group == "assets" else t.chain) == name)
            low, high = (None if edge is None else edge * bare.nav for edge in (share.low, share.high))
            bands.append(Band(group, name, members, low, high))
    for name, units in form.tokens.items():
        price = bare.unit[name]
        low, high = (None if edge is None else edge * price for edge in (units.low_units, units.high_units))
        bands.append(Band("tokens", name, (name,), low, high))
    return tuple(bands)


def _complaint(item: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in item["loc"]) or "instance"
    if item["type"] == "missing":
        return f"{where}: missing"
    found = repr(item.get("input"))
    shown = found if len(found) <= 60 else found[:57] + "..."
    said = str(item["msg"]).removeprefix("Value error, ")
    return f"{where}: found {shown}, {said}"
