"""The published schemas say what the code does, and say it so that a stranger can check it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from docs import make_schemas
from ibkr_trader.portfolio.payloads import encode
from tests.house.sources import ROOT
from tests.json_schema import faults
from tests.portfolio.test_payloads import SAMPLES

FOLDER = ROOT / "docs" / "schemas"


def published(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text())
    return document


def schema_of(type_name: str) -> dict[str, Any]:
    """Return the published schema whose messages have this type."""
    everything = (json.loads(path.read_text()) for path in FOLDER.glob("*.schema.json"))
    (found,) = [one for one in everything if one.get("title") == type_name]
    return dict(found)


@pytest.mark.parametrize("name", make_schemas.schemas())
def test_a_schema_is_the_one_that_is_made(name: str) -> None:
    assert (FOLDER / name).read_text() == make_schemas.schemas()[name], "run make docs"


def test_every_schema_in_the_folder_is_made_by_somebody() -> None:
    others = {"symbol_limits.schema.json"}
    assert {path.name for path in FOLDER.iterdir()} == {*make_schemas.schemas(), *others}


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda one: type(one).__name__)
def test_a_payload_meets_its_schema(payload: Any) -> None:
    assert faults(schema_of(type(payload).__name__), json.loads(encode(payload))) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2), ("v", "1"), ("type", "Fill"), ("quantity", 10), ("quantity", "1E+1"),
        ("quantity", "NaN"), ("quantity", None), ("at", "2026-11-20T15:00:00"),
        ("at", "2026-11-20T15:00:00+01:00"), ("side", "LONG"), ("con_id", "1"), ("con_id", True),
        ("commission", 1), ("invented", 1), ("fill_id", ...),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(name: str, value: Any) -> None:
    (fill,) = [one for one in SAMPLES if type(one).__name__ == "ExecutionFill"]
    document = json.loads(encode(fill))
    if value is ...:
        del document[name]
    else:
        document[name] = value
    assert len(faults(schema_of("ExecutionFill"), document)) == 1


def test_every_field_is_always_there_and_the_important_ones_are_explained() -> None:
    schema = published("pnl_snapshot")
    assert schema["required"] == list(schema["properties"])
    assert "stream `pnl:stream`" in schema["description"]
    assert schema["properties"]["net"]["description"].startswith("Everything together")
    assert schema["properties"]["event_id"]["description"]
    inner = schema["$defs"]["SymbolPnL"]
    assert inner["required"] == list(inner["properties"])
