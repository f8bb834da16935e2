"""JSON with the place of everything in it, so that a mistake is named by its line and column.

As strict as the standard library, and stricter: no comments, no depth beyond what a
settings file needs. Keys that stand twice are both kept: which of them counts is for the
reader to say. Numbers stay text: whoever reads them decides what they mean. NaN and Infinity
are numbers here, so that whoever refuses them can name their key, and the other faults.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import NamedTuple, TypeAlias

MAX_DEPTH = 16
_BLANK = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = r'[^"\\\x00-\x1f]*'
_STRING = re.compile(rf'"{_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*"')
_WORD = re.compile(r"-?[A-Za-z_]+")
_NO_NUMBER = frozenset({"NaN", "Infinity", "-Infinity"})  # many programs write them
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class Place(NamedTuple):
    """Where something stands; both count from 1."""

    line: int
    column: int


class JsonFault(Exception):
    """The text is no JSON from `place` on."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


class Number(str):
    """A number as it was written."""

    __slots__ = ()


class Node(NamedTuple):
    """A value, and where in the text it begins and ends."""

    start: int
    end: int
    value: Value


class Member(NamedTuple):
    """A key of an object with its value."""

    key: Node
    name: str
    node: Node


class Object(NamedTuple):
    """The members of an object in their order, each of those that stand twice."""

    members: tuple[Member, ...]


Value: TypeAlias = "Object | list[Node] | Number | str | bool | None"


class Document:
    """A text that is JSON.

    Attributes:
        root: The whole of it.

    Raises:
        JsonFault: If it is none.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        begin = self._blanks(0)
        self.root = self._value(begin, 0)
        if (rest := self._blanks(self.root.end)) < len(text):
            raise self._fault("something stands behind the end: remove it", rest)

    def place(self, node: Node) -> Place:
        """Return where `node` begins."""
        return self._place(node.start)

    def raw(self, node: Node) -> str:
        """Return `node` as it was written."""
        return self._text[node.start : node.end]

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._lines, offset)
        return Place(line, offset - self._lines[line - 1] + 1)

    def _fault(self, message: str, offset: int) -> JsonFault:
        if offset >= len(self._text):
            message = f"the file ends too early, as if half written ({message})"
        return JsonFault(message, self._place(min(offset, len(self._text))))

    def _blanks(self, offset: int) -> int:
        found = _BLANK.match(self._text, offset)
        return found.end() if found is not None else offset

    def _value(self, at: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._fault(f"it is nested more than {MAX_DEPTH} deep", at)
        mark = self._text[at : at + 1]
        if mark == "{":
            return self._object(at, depth)
        if mark == "[":
            return self._array(at, depth)
        if mark == '"':
            end, text = self._string(at)
            return Node(at, end, text)
        if (number := _NUMBER.match(self._text, at)) is not None:
            return Node(at, number.end(), Number(number[0]))
        return self._word(at)

    def _word(self, at: int) -> Node:
        found = _WORD.match(self._text, at)
        if found is not None and found[0] in _WORDS:
            return Node(at, found.end(), _WORDS[found[0]])
        if found is not None and found[0] in _NO_NUMBER:
            return Node(at, found.end(), Number(found[0]))
        if found is not None:
            raise self._fault(f"{found[0][:40]} is no value; text stands in double quotes", at)
        wanted = "a value is missing here: write a number, text in double quotes, or { … }"
        if self._text[at : at + 1] == "'":
            wanted = 'text stands in double quotes: "…"'
        raise self._fault(wanted, at)

    def _string(self, at: int) -> tuple[int, str]:
        found = _STRING.match(self._text, at)
        if found is None:
            return self._no_string(at)
        inner = found[0][1:-1]
        return found.end(), json.loads(found[0]) if "\\" in inner else inner

    def _no_string(self, at: int) -> tuple[int, str]:
        """Say what is wrong with the text that begins at `at`."""
        stop = re.compile(rf'"{_PLAIN}').match(self._text, at)
        end = stop.end() if stop is not None else at
        if end >= len(self._text):
            raise self._fault('the closing " is missing', end)
        if self._text[end] == "\n":
            raise self._fault('the closing " is missing on this line', at)
        raise self._fault(f"{json.dumps(self._text[end])} must not stand in a text", end)

    def _array(self, at: int, depth: int) -> Node:
        items: list[Node] = []
        offset = self._blanks(at + 1)
        while self._text[offset : offset + 1] != "]":
            if items:
                offset = self._next(offset, "]")
            items.append(self._value(offset, depth + 1))
            offset = self._blanks(items[-1].end)
        return Node(at, offset + 1, items)

    def _object(self, at: int, depth: int) -> Node:
        members: list[Member] = []
        offset = self._blanks(at + 1)
        while self._text[offset : offset + 1] != "}":
            if members:
                offset = self._next(offset, "}")
            members.append(self._member(offset, depth))
            offset = self._blanks(members[-1].node.end)
        return Node(at, offset + 1, Object(tuple(members)))

    def _member(self, at: int, depth: int) -> Member:
        if self._text[at : at + 1] != '"':
            raise self._fault('a key in double quotes is missing here: "key": value', at)
        end, name = self._string(at)
        colon = self._blanks(end)
        if self._text[colon : colon + 1] != ":":
            raise self._fault(f"a colon is missing behind {json.dumps(name)[:60]}", colon)
        node = self._value(self._blanks(colon + 1), depth + 1)
        return Member(Node(at, end, name), name, node)

    def _next(self, offset: int, closing: str) -> int:
        """Return where what follows a comma begins."""
        if self._text[offset : offset + 1] != ",":
            raise self._fault(f"a comma or {closing} is missing here", offset)
        after = self._blanks(offset + 1)
        if self._text[after : after + 1] == closing:
            raise self._fault(f"a comma with nothing behind it before {closing}: remove it", offset)
        return after
