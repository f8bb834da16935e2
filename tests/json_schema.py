"""As much of JSON Schema as our published schemas use, judged strictly and from their text alone.

It shares nothing with what makes the schemas. A keyword that it does not know fails, and so does
a field that the schema does not name: a reader is told of every field there is.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_KINDS: dict[str, Any] = {
    "object": dict,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
    "array": list,
}
_WORDS = {"$schema", "$defs", "title", "description", "required"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    """Return what is wrong with `value`, each fault with its place."""
    return list(_judge(schema, value, whole=schema, place="$"))


def _judge(schema: dict[str, Any], value: Any, *, whole: dict[str, Any], place: str) -> list[str]:
    found: list[str] = []
    for word in schema.keys() - _WORDS:
        found += _RULES[word](schema, value, whole, place)
    return found


def _is_kind(schema: dict[str, Any], value: Any, _: Any, place: str) -> list[str]:
    kind = schema["type"]
    good = isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))
    return [] if good else [f"{place}: {value!r} is no {kind}"]


def _fields(schema: dict[str, Any], value: Any, whole: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    known = schema["properties"]
    found = [f"{place}: {name} is missing" for name in schema["required"] if name not in value]
    found += [f"{place}: nobody names {name}" for name in value if name not in known]
    for name in known.keys() & value.keys():
        found += _judge(known[name], value[name], whole=whole, place=f"{place}.{name}")
    return found


def _rest(schema: dict[str, Any], value: Any, whole: Any, place: str) -> list[str]:
    found: list[str] = []
    for key, part in value.items() if isinstance(value, dict) else ():
        found += _judge(schema["additionalProperties"], part, whole=whole, place=f"{place}.{key}")
    return found


def _items(schema: dict[str, Any], value: Any, whole: Any, place: str) -> list[str]:
    found: list[str] = []
    for part in value if isinstance(value, list) else ():
        found += _judge(schema["items"], part, whole=whole, place=f"{place}[]")
    return found


def _any(schema: dict[str, Any], value: Any, whole: Any, place: str) -> list[str]:
    found = [_judge(one, value, whole=whole, place=place) for one in schema["anyOf"]]
    return [] if [] in found else [f"{place}: {value!r} is none of {schema['anyOf']}"]


def _ref(schema: dict[str, Any], value: Any, whole: Any, place: str) -> list[str]:
    head, _, name = schema["$ref"].rpartition("/")
    assert head == "#/$defs", schema
    return _judge(whole["$defs"][name], value, whole=whole, place=place)


def _format(schema: dict[str, Any], value: Any, _: Any, place: str) -> list[str]:
    if schema["format"] == "decimal" or not isinstance(value, str):
        return []  # its pattern says it all
    assert schema["format"] == "date-time", schema
    if _MOMENT.fullmatch(value) is None:
        return [f"{place}: {value!r} is no moment in UTC"]
    datetime.fromisoformat(value)
    return []


def _pattern(schema: dict[str, Any], value: Any, _: Any, place: str) -> list[str]:
    good = not isinstance(value, str) or re.search(schema["pattern"], value, re.ASCII)
    return [] if good else [f"{place}: {value!r} is not written like {schema['pattern']}"]


def _enum(schema: dict[str, Any], value: Any, _: Any, place: str) -> list[str]:
    good = any(value == one and type(value) is type(one) for one in schema["enum"])
    return [] if good else [f"{place}: {value!r} is none of {schema['enum']}"]


_RULES: dict[str, Any] = {
    "type": _is_kind,
    "properties": _fields,
    "additionalProperties": _rest,
    "items": _items,
    "anyOf": _any,
    "$ref": _ref,
    "format": _format,
    "pattern": _pattern,
    "enum": _enum,
}
