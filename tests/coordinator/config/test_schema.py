"""Tests of the JSON schema for editors: it knows every section, chain kind and rail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridges.registry import RAILS
from coordinator.config.model import Document
from coordinator.config.schema import json_schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def test_schema__whole__is_json_and_closed(schema: dict[str, Any]) -> None:
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == set(Document.model_fields)


def test_schema__rails__every_one_and_no_other(schema: dict[str, Any]) -> None:
    rails = schema["$defs"]["Rails"]
    assert set(rails["properties"]) == set(RAILS)
    assert rails["additionalProperties"] is False


def test_schema__chains__are_named_by_their_key(schema: dict[str, Any]) -> None:
    evm = schema["$defs"]["EvmSettings"]
    assert "name" not in evm["properties"]
    assert {"id", "endpoints", "native"} <= set(evm["required"])
    assert "name" not in evm["required"]


def test_schema__quantities__take_text_or_number_with_an_example(schema: dict[str, Any]) -> None:
    per_leg = schema["$defs"]["LimitsModel"]["properties"]["per_leg"]
    assert (per_leg["type"], per_leg["examples"]) == (["string", "number"], ["$25_000"])
