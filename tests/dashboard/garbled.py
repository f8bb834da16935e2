"""Models in which every text is foreign: what a test of harmlessness feeds to the screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import msgspec
from hypothesis import strategies as st

# What steers a terminal, turns text around, or has no width of its own.
NASTY = (
    "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\r\n", "\t", "\x00", "\x7f", "\u202e", "\u2066",
    "\u200b", "\u200d", "\ufe0f", "e\u0301", "\u0301", "漢字", "👍🏽", "👩\u200d💻", "🇩🇪", "\ud800",
    "[bold]", "\u1160",
)  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    """Return texts as they may come from anywhere."""
    pieces = st.one_of(st.sampled_from(NASTY), st.text(max_size=8), st.characters())
    return st.lists(pieces, max_size=12).map("".join)


def garbled(value: Any, words: list[str], *, keep: frozenset[str] = frozenset()) -> Any:
    """Return `value` with each text in it replaced by one of `words`, except in fields `keep`."""
    return _garbled(value, cycle(words), keep)


def _garbled(value: Any, words: Iterator[str], keep: frozenset[str]) -> Any:
    match value:
        case str():
            return next(words)
        case msgspec.Struct():
            changes = {
                name: _garbled(getattr(value, name), words, keep)
                for name in value.__struct_fields__
                if name not in keep
            }
            return msgspec.structs.replace(value, **changes)
        case tuple():
            return tuple(_garbled(one, words, keep) for one in value)
        case Mapping():
            return {key: _garbled(one, words, keep) for key, one in value.items()}
        case _:
            return value
