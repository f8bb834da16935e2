"""JSON from strangers, read so that only one meaning is possible.

What a lenient reader forgives is where two programs understand one message differently: a key
that stands twice, NaN, a number that a float rounds, half a pair of surrogates that cannot be
written down again. All of these are faults here, as is whatever is too long or too deep.
"""

from __future__ import annotations

from typing import TypeAlias

from ibkr_trader.adapters.json_places import Document, JsonFault, Node, Number, Object
from ibkr_trader.core.text import plain

MAX_BYTES = 16_384
MAX_DEPTH = 4  # a payload of a prediction has two
EXCERPT = 200  # characters of what was refused
_SHOWN = 40  # characters of a key in a message

Json: TypeAlias = "dict[str, Json] | list[Json] | Number | str | bool | None"


class Unreadable(Exception):
    """It cannot be taken for what it should be; `message` says why, in plain characters."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def read_object(
    data: bytes, *, most_bytes: int = MAX_BYTES, depth: int = MAX_DEPTH
) -> dict[str, Json]:
    """Return the one object that `data` is; its numbers are kept as they were written.

    Args:
        data: UTF-8, without a byte order mark.
        most_bytes: How long it may be.
        depth: How many objects and lists may stand in one another, the outermost included.

    Raises:
        Unreadable: If it is anything else.
    """
    if len(data) > most_bytes:
        raise Unreadable(f"it has more than {most_bytes} bytes")
    try:
        root = Document(data.decode("utf-8")).root
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 text at byte {error.start}") from None
    except JsonFault as error:
        line, column = error.place
        raise Unreadable(f"it is no JSON at {line}:{column}: {plain(error.message)}") from None
    value = _value(root, depth)
    if not isinstance(value, dict):
        raise Unreadable("it is no JSON object")
    return value


def excerpt(data: bytes) -> str:
    """Return the beginning of something foreign, made plain."""
    return plain(data[: 4 * EXCERPT].decode("utf-8", errors="replace"), limit=EXCERPT)


def shown(name: str) -> str:
    """Return a key, or a short text, as a message may have it."""
    return plain(name, limit=_SHOWN)


def _value(node: Node, depth: int) -> Json:
    value = node.value
    if isinstance(value, Object | list) and not depth:
        raise Unreadable("it is nested too deep")
    if isinstance(value, list):
        return [_value(one, depth - 1) for one in value]
    if isinstance(value, Object):
        found: dict[str, Json] = {}
        for member in value.members:
            name = _text(member.name)
            if name in found:
                raise Unreadable(f"{shown(name)} stands in it twice")
            found[name] = _value(member.node, depth - 1)
        return found
    if isinstance(value, Number) and not value[-1].isdigit():
        raise Unreadable(f"{value} is no number")
    return _text(value) if isinstance(value, str) and not isinstance(value, Number) else value


def _text(value: str) -> str:
    r"""The text itself, unless escapes such as `\ud800` made something that is no text."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Unreadable("half a pair of surrogates is no text") from None
    return value
