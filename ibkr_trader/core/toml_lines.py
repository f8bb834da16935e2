"""On which line of a TOML text each key stands: tomllib does not say, and people ask."""

from __future__ import annotations

import re
from collections.abc import Mapping

Keys = tuple[str | int, ...]  # ("rule", 0, "when"): the key `when` of the first [[rule]]

# No two parts that could match the same characters: a long line must not take long.
_HEADING = re.compile(r"(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*[=.]""")


def lines_of(text: str) -> Mapping[Keys, int]:
    """Return the line of each table and key, as far as one can tell without parsing.

    Keys in the middle of a text over several lines may be taken for real ones: a line is for a
    message, and nothing is decided by it.
    """
    found: dict[Keys, int] = {}
    counts: dict[Keys, int] = {}
    here: Keys = ()
    for number, line in enumerate(text.split("\n"), start=1):  # as TOML counts lines
        heading = _HEADING.match(line.strip())
        if heading is not None:
            here = _heading(heading[2], counts, is_array=heading[1] == "[[")
            found.setdefault(here, number)
        elif key := _KEY.match(line):
            found.setdefault((*here, key[1]), number)
    return found


def line_of(lines: Mapping[Keys, int], path: Keys) -> int:
    """Return the line of `path`, or of the nearest table around it; 0 if there is none."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 0


def _heading(words: str, counts: dict[Keys, int], *, is_array: bool) -> Keys:
    """The path of a heading: within an array of tables, of its newest element."""
    path: Keys = ()
    parts = [part.strip().strip("\"'") for part in words.split(".")]
    for place, part in enumerate(parts):
        path = (*path, part)
        if is_array and place == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
