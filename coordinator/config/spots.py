"""Where a pydantic error lies in the tree, which of a union's members was meant, and which keys may stand there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from coordinator.config.errors import Where
from coordinator.config.tree import Node


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an error lies: its path as far as the tree goes, the node there, and the place to point at."""

    path: tuple[str, ...]
    node: Node | None
    where: Where


def nearest(errors: list[ErrorDetails], node: Node) -> Iterable[ErrorDetails]:
    """Of a union's members, keep the one with the fewest refusals: the one that was meant."""
    members: dict[tuple[str, ...], dict[str, list[ErrorDetails]]] = defaultdict(lambda: defaultdict(list))
    for error in errors:
        depth, member = _union_member(error["loc"], node, error["type"])
        members[tuple(str(part) for part in error["loc"][:depth])][member].append(error)
    for options in members.values():
        yield from options.pop("", [])
        if options:
            yield from min(options.values(), key=len)


def _union_member(loc: tuple[int | str, ...], node: Node | None, kind: str) -> tuple[int, str]:
    """How deep the location follows the tree, and the name of the union's member it then takes (or nothing)."""
    for depth, part in enumerate(loc):
        child = _child(node, part)
        if child is None:
            last = depth == len(loc) - 1
            return depth, "" if (last and kind == "missing") or part == "[key]" else str(part)
        node = child
    return len(loc), ""


def _child(node: Node | None, part: int | str) -> Node | None:
    if node is not None and isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    return node.get(str(part)) if node is not None else None


def locate(loc: Iterable[int | str], node: Node, path: tuple[str, ...]) -> Spot:
    """Follow a pydantic location through the tree; parts that are not in the tree (tags of unions) are passed over."""
    where, here = node.where, node
    for part in loc:
        child = _child(here, part)
        if child is None:
            continue
        entry = here.entries.get(str(part))
        where = entry.where if entry else child.where
        path = (*path, entry.written if entry else str(part))
        here = child
    return Spot(path, here, where)


def fields_at(shape: Any, loc: Iterable[int | str]) -> Iterable[str]:
    """The keys that may stand at a location, over all models that may stand there."""
    models = _models_in(shape)
    for part in loc:
        inner = [model.model_fields[str(part)].annotation for model in models if str(part) in model.model_fields]
        tagged = [model for model in models if _is_tagged(model, str(part))]
        if inner:
            models = [found for annotation in inner for found in _models_in(annotation)]
        elif tagged:
            models = tagged
    return [name for model in models for name in model.model_fields]


def _is_tagged(model: type[BaseModel], part: str) -> bool:
    """Whether a union's location part names this model: by its class, or by its `kind`."""
    kind = model.model_fields.get("kind")
    return model.__name__ == part or (kind is not None and part in get_args(kind.annotation))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
