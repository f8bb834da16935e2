"""The published schema is the one that is made, and it agrees with the reader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ibkr_trader.adapters import limits_schema
from ibkr_trader.adapters.limits_reader import read_limits
from ibkr_trader.adapters.limits_writer import text_of
from ibkr_trader.risk.limits import RiskLimits, SymbolLimitRegistry
from tests.adapters.limits_parts import registries
from tests.adapters.test_limits_reader import SEED

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "schemas" / "symbol_limits.schema.json"
CAP = RiskLimits()
KINDS: dict[str, Any] = {
    "object": dict, "string": str, "number": (int, float), "null": type(None),
}  # fmt: skip


def allows(schema: dict[str, Any], value: Any) -> bool:
    """Judge a value by as much of JSON Schema as the schema uses; what is not known fails."""
    unknown = set(schema) - {*_RULES, "properties", "title", "description", "$schema", "$defs"}
    assert not unknown, unknown
    return all(_RULES[name](schema, value) for name in schema if name in _RULES)


def _is_kind(schema: dict[str, Any], value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if schema["type"] == "integer":
        return isinstance(value, (int, float)) and value == int(value)
    return isinstance(value, KINDS[schema["type"]])


def _members(schema: dict[str, Any], value: Any) -> bool:
    if not isinstance(value, dict):
        return True
    rest, known = schema["additionalProperties"], schema.get("properties", {})
    return all(
        allows(known[key], one) if key in known else rest is not False and allows(rest, one)
        for key, one in value.items()
    )


def _names(schema: dict[str, Any], value: Any) -> bool:
    return not isinstance(value, dict) or all(allows(schema["propertyNames"], key) for key in value)


_RULES: dict[str, Any] = {
    "type": _is_kind,
    "additionalProperties": _members,
    "propertyNames": _names,
    "anyOf": lambda schema, value: any(allows(one, value) for one in schema["anyOf"]),
    "pattern": lambda schema, value: re.fullmatch(schema["pattern"].strip("^$"), value) is not None,
    "maxLength": lambda schema, value: len(value) <= schema["maxLength"],
    "exclusiveMinimum": lambda schema, value: (
        not isinstance(value, (int, float)) or value > schema["exclusiveMinimum"]
    ),
    "exclusiveMaximum": lambda schema, value: (
        not isinstance(value, (int, float)) or value < schema["exclusiveMaximum"]
    ),
    "$ref": lambda schema, value: allows(
        limits_schema.schema()["$defs"][schema["$ref"].rpartition("/")[2]], value
    ),
}


def is_valid(text: str) -> bool:
    return allows(limits_schema.schema(), json.loads(text))


def is_read(text: str) -> bool:
    return read_limits(text.encode(), CAP).registry is not None


def test_the_published_schema_is_the_one_that_is_made() -> None:
    hint = "python -m ibkr_trader.adapters.limits_schema > docs/schemas/symbol_limits.schema.json"
    assert PUBLISHED.read_text() == limits_schema.text(), hint


def test_the_example_is_sound_and_within_the_caps() -> None:
    content = (ROOT / "examples" / "symbol_limits.json").read_bytes()
    reading = read_limits(content, CAP)
    assert (reading.faults, reading.warnings) == ((), ())
    assert is_valid(content.decode())


GOOD = [
    SEED,
    "{}",
    '{"$schema": "x", "symbol_limits": {"BRK.B": {}, "BRK A": {}, "V": {}}}',
    '{"default_limits": {"max_position_size": 50.0, "max_daily_loss": "0.50"}}',
    '{"default_limits": {"max_position_size": "50.0", "max_correlation_exposure": null}}',
    '{"default_limits": {"max_daily_loss": 999999999999.99}}',
]
BAD = [
    "[]",
    '{"symbol_limit": {}}',
    '{"$schema": 5}',
    '{"symbol_limits": []}',
    '{"symbol_limits": {"AAPL": 5}}',
    '{"default_limits": null}',
    *(
        f'{{"symbol_limits": {{{name}: {{}}}}}}'
        for name in ('"aapl"', '"1A"', '""', '"*"', '" AAPL"', '"BRK..B"', '"BRK."',
                     '"ABCDEFGHIJKLM"', '"\\u0410APL"', '"AAPL\\n"')
    ),
    *(
        f'{{"default_limits": {{"{key}": {value}}}}}'
        for key in ("max_position_size", "max_daily_loss")
        for value in ("0", "-1", '"0"', '"0.00"', '"-1"', '"NaN"', '"1e3"', '"1,000"', '""', '" 5"',
                      "true", "null", "[]", "{}", "1" * 13)
    ),
    '{"default_limits": {"max_position_size": 50.5}}',
    '{"default_limits": {"max_position_size": "50.5"}}',
    '{"default_limits": {"max_pos": 5}}',
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_what_the_schema_allows_is_read(text: str) -> None:
    assert (is_valid(text), is_read(text)) == (True, True)


@pytest.mark.parametrize("text", BAD)
def test_what_the_schema_forbids_is_not_read(text: str) -> None:
    assert (is_valid(text), is_read(text)) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        '{"default_limits": {"max_daily_loss": 1e3}}',
        '{"default_limits": {"max_daily_loss": 5, "max_daily_loss": 500}}',
        '{"default_limits": {"max_daily_loss": 0.123456789}}',
    ],
)
def test_the_reader_knows_more_than_a_schema_can_say(text: str) -> None:
    assert (is_valid(text), is_read(text)) == (True, False)


@given(registries())
def test_whatever_is_written_meets_the_schema(registry: SymbolLimitRegistry) -> None:
    assert is_valid(text_of(registry))
