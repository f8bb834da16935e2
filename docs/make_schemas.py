# ruff: noqa: INP001 - a script beside the pages that it writes, not a package
"""Writes `docs/schemas/`: the JSON schema of each message that is told to others.

They are made from the classes in `ibkr_trader/portfolio/payloads.py` by `make docs`;
`tests/house/test_schemas.py` fails if a file says something else.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any, get_args

import msgspec

from ibkr_trader.portfolio.payloads import TOPICS, AnyPayload, Payload

FOLDER = Path(__file__).resolve().parent / "schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """Return the text of each schema by the name of its file."""
    return {f"{_file(kind)}.schema.json": _text(kind) for kind in get_args(AnyPayload)}


def _file(kind: type[Payload]) -> str:
    words = kind.__name__.replace("PnL", "Pnl")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", words).lower()


def _text(kind: type[Payload]) -> str:
    (_,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    whole = _object(parts.pop(kind.__name__), kind)
    for name, part in parts.items():
        is_object = part.get("type") == "object"
        parts[name] = _object(part, None) if is_object else {**part, "description": _first(part)}
    topic = f"A message of the stream `{TOPICS[kind]}`."
    whole["description"] = f"{whole['description']} {topic}"
    document = {"$schema": _DIALECT, **whole}
    if parts:
        document["$defs"] = parts
    return json.dumps(document, indent=2) + "\n"


def _object(schema: dict[str, Any], kind: type[Payload] | None) -> dict[str, Any]:
    """An object as we write it: every field is there, even if it is null."""
    meanings = {} if kind is None else {**_meanings(Payload), **_meanings(kind)}
    fields = schema["properties"]
    for name, field in fields.items():
        field.pop("default", None)  # what a reader gets is always written out
        if name in meanings:
            field["description"] = meanings[name]
    return {**schema, "description": _first(schema), "required": list(fields)}


def _first(schema: dict[str, Any]) -> str:
    """What a docstring says before it comes to its attributes, in one line."""
    text = inspect.cleandoc(schema["description"])  # Python 3.13 does so itself, 3.11 does not
    return " ".join(text.partition("\n\nAttributes:")[0].split())


def _meanings(kind: type) -> dict[str, str]:
    """What the docstring says of its attributes, by name: `a, b: words` is of both."""
    section = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    for line in re.sub(r"\n {5,}", " ", section).splitlines():
        names, _, meaning = line.strip().partition(": ")
        found |= dict.fromkeys(names.split(", "), meaning)
    return found


def main() -> None:
    """Write every schema that is not what the code says."""
    for name, text in schemas().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote docs/schemas/{name}\n")


if __name__ == "__main__":
    main()
