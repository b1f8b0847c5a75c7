"""Pydantic's refusals, told to a person: at the line they stand on, with the nearest valid name.

The input is taken from the tree, never from pydantic's error, and only shown where it cannot be a secret: what came from
the environment, URLs, and anything under `key` stay hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from chains.ids import InvalidId
from coordinator.config.errors import Findings, Where, did_you_mean, listed
from coordinator.config.quantities import Refused
from coordinator.config.spots import Spot, fields_at, locate, nearest
from coordinator.config.tree import Node

_SHOWN = 60  # characters of a value that a message repeats
_ALLOWED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "decimal_parsing": "a decimal number",
    "string_type": "text",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "list_type": "a list",
    "tuple_type": "a list",
    "path_type": "a path",
    "union_tag_not_found": "a mapping with kind",
}
_BOUNDS = {"greater_than": "above {gt}", "greater_than_equal": "{ge} or more", "less_than": "below {lt}", "less_than_equal": "{le} or less"}


@dataclass(frozen=True, slots=True)
class Reading:
    """How a node is read: the shape it should have, keys that are set `given` and not written, names that an id may be `called`."""

    shape: Any
    given: Mapping[str, object] = field(default_factory=dict)
    called: Iterable[str] = ()


def validate(reading: Reading, node: Node, path: tuple[str, ...], findings: Findings) -> Any | None:
    """The node as an object of the reading's shape, or None with every refusal added to `findings`."""
    plain = node.plain()
    if reading.given and isinstance(plain, dict):
        plain = {**plain, **reading.given}
    try:
        return _read(reading.shape, plain)
    except ValidationError as refusal:
        for error in nearest(refusal.errors(include_url=False, include_input=False), node):
            _tell(error, reading, locate(error["loc"], node, path), findings)
        return None


def _read(shape: Any, plain: object) -> Any:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return shape.model_validate(plain)  # a model keeps what it was built with; an adapter is built for each entry
    return TypeAdapter(shape).validate_python(plain)


def _tell(error: ErrorDetails, reading: Reading, spot: Spot, findings: Findings) -> None:
    kind, loc = error["type"], error["loc"]
    context = cast(Mapping[str, Any], error.get("ctx", {}))
    cause = context.get("error")
    if _from_environment(spot) and any(spot.node is not None and known.where == spot.node.where for known in findings.errors):
        return  # the variable is not set: said already
    if kind == "extra_forbidden":
        known = sorted(set(fields_at(reading.shape, loc[:-1])) - set(reading.given if len(loc) == 1 else ()))
        hint = did_you_mean(spot.path[-1], known)
        findings.add(spot.where, spot.path, "unknown key", listed(known), hint)
    elif kind == "missing":
        findings.add(spot.where, (*spot.path, str(loc[-1])), "missing", "", f"add {loc[-1]}: …")
    elif _from_environment(spot) and cause is not None:
        findings.add(_value_place(spot), spot.path, "the value from the environment is not valid", getattr(cause, "allowed", ""))
    elif isinstance(cause, Refused):
        findings.add(_value_place(spot), spot.path, cause.found, cause.allowed, cause.mend)
    elif cause is not None:
        hint = did_you_mean(_text(spot), reading.called) if isinstance(cause, InvalidId) else ""
        findings.add(_value_place(spot), spot.path, _discreet(str(cause), spot), "", hint)
    else:
        _tell_plain(kind, context, spot, findings)


def _tell_plain(kind: str, context: Mapping[str, Any], spot: Spot, findings: Findings) -> None:
    hint = ""
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        allowed = str(context.get("expected") or context.get("expected_tags")).replace("'", "").replace(" or ", ", ")
        value = spot.node.get("kind") if kind == "union_tag_invalid" and spot.node else spot.node
        if kind == "union_tag_invalid" and value is not None:
            spot = Spot((*spot.path, "kind"), value, value.where)
        hint = did_you_mean(str(value.value) if value else "", allowed.split(", "))
    elif kind in _BOUNDS:
        allowed = _BOUNDS[kind].format(**context)
    elif kind == "too_short" and spot.node is not None and spot.node.plain():
        return  # there are entries, and what is wrong with them is said already
    elif kind in {"too_short", "string_too_short"}:
        findings.add(_value_place(spot), spot.path, "too short", f"at least {context['min_length']}")
        return
    elif kind == "string_pattern_mismatch":
        allowed = "lower-case letters, digits and -, beginning with a letter or digit"
    else:
        allowed = _ALLOWED.get(kind, kind.replace("_", " "))
    findings.add(_value_place(spot), spot.path, f"found {_shown(spot)}", allowed, hint)


def _value_place(spot: Spot) -> Where:
    """A text stands on its own line and column; for a mapping or list, its key is the better place to point at."""
    return spot.node.where if spot.node is not None and isinstance(spot.node.value, str) else spot.where


def _text(spot: Spot) -> str:
    return spot.node.value if spot.node is not None and isinstance(spot.node.value, str) else ""


def _from_environment(spot: Spot) -> bool:
    return spot.node is not None and bool(spot.node.origin)


def _hidden(spot: Spot) -> bool:
    return _from_environment(spot) or "://" in _text(spot) or "key" in spot.path


def _discreet(told: str, spot: Spot) -> str:
    """A message of another model, without the value when that is a URL: paths and queries hold access keys."""
    return told.replace(repr(_text(spot)), "the value").replace(_text(spot), "the value") if "://" in _text(spot) else told


def _shown(spot: Spot) -> str:
    value = spot.node.value if spot.node else None
    if value is None:
        return "nothing"
    if not isinstance(value, str):
        return "a mapping" if isinstance(value, dict) else "a list"
    if _hidden(spot):
        return "a value that is not shown here"
    return f'"{value[:_SHOWN]}{"…" if len(value) > _SHOWN else ""}"'
