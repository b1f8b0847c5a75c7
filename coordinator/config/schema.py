"""The JSON schema of `treasury.yaml`, for editors: made of the same models that read it."""

from __future__ import annotations

from typing import Any, Union

from pydantic import create_model

from bridges.registry import RAILS
from chains.registry import CHAINS
from coordinator.config.model import Document


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a whole `treasury.yaml`, version 1."""
    chain: Any = Union[tuple(kind.settings for kind in CHAINS.values())]  # noqa: UP007 - built from a table
    rails: dict[str, Any] = {name: (kind.settings | None, None) for name, kind in RAILS.items()}
    model = create_model(
        "Treasury",
        __base__=Document,
        chains=(dict[str, chain], ...),
        rails=(create_model("Rails", __config__={"extra": "forbid"}, **rails), ...),
    )
    schema = model.model_json_schema()
    for definition in schema.get("$defs", {}).values():
        _without_name(definition)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _without_name(definition: dict[str, Any]) -> None:
    """A chain's name is its key in the file, so its settings do not ask for it."""
    properties = definition.get("properties", {})
    if {"endpoints", "native", "name"} <= set(properties):
        del properties["name"]
        definition["required"] = [name for name in definition.get("required", ()) if name != "name"]
