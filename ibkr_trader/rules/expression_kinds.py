"""What an expression may speak of: the kinds of values, the names and functions, and the unknown.

An expression is checked against a `Vocabulary` when it is loaded, and asked with a `Scope`
later. So whatever can be wrong with it is said to the person who wrote it, and nothing about
its types is left to find out while the market is open.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from datetime import time
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final, Protocol

import msgspec

HISTORY = ("previous", "crosses_above", "crosses_below")
PURE = {"min": (2, 100), "max": (2, 100), "abs": (1, 1)}  # how many arguments, at least and at most
LITERALS = {"true": True, "True": True, "false": False, "False": False}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DOTS = 1


class Kind(StrEnum):
    """What a value is. No kind is ever turned into another."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    TIME = "time"


class Unknown(Enum):
    """What nobody knows: no quote, an indicator that has not seen enough, a division by zero.

    It is neither true nor false, and does not let itself be taken for either.
    """

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("the unknown is neither true nor false: ask `is True`, `is UNKNOWN`")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN

# A number, a text, a truth, or a time of day (of the exchange, without a zone).
Value = Decimal | str | bool | time

# Which class stands for which kind.
CLASSES: Mapping[Kind, type] = {
    Kind.NUMBER: Decimal,
    Kind.TEXT: str,
    Kind.TRUTH: bool,
    Kind.TIME: time,
}


class Scope(Protocol):
    """What an expression looks at, at one moment.

    A value is of the kind that the vocabulary promised, or `UNKNOWN`. A number that is not
    finite counts as unknown. Anything else is a bug of the scope, and so is an exception: both
    come out of the evaluation as they are.
    """

    def get(self, name: str) -> Value | Unknown:
        """Return what `name` stands for now."""
        ...

    def call(self, function: str, arguments: tuple[Decimal, ...]) -> Value | Unknown:
        """Return what a function of the vocabulary gives now."""
        ...

    def before(self) -> Scope | None:
        """Return the same scope one bar ago; None if nobody kept it."""
        ...


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """What a name stands for.

    Attributes:
        kind: Of its value.
        doc: One line for the person who writes a rule.
        values: Of a text, the only ones that it can have; empty if there are others.

    Raises:
        ValueError: If something that is no text has a list of texts.
    """

    kind: Kind
    doc: str
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.values and self.kind is not Kind.TEXT:
            raise ValueError("only a text has a closed set of values")


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function of the vocabulary: an indicator, called with numbers that are written out.

    What it gives is a number.

    Attributes:
        parameters: Their names, as a person would call them.
        doc: One line for the person who writes a rule.
        optional: How many of the last parameters may be left out.
        fill: Returns the arguments with those that were left out, or raises a ValueError that
            says what is wrong with them.
    """

    parameters: tuple[str, ...]
    doc: str
    optional: int = 0
    fill: Callable[[tuple[Decimal, ...]], tuple[Decimal, ...]] = lambda given: given


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """All that an expression may name.

    Raises:
        ValueError: If a name could not be written in an expression, or means something already.
    """

    names: Mapping[str, Name]
    functions: Mapping[str, Function] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        taken = {*PURE, *HISTORY, *LITERALS}
        for word in [*self.names, *self.functions]:
            parts = word.split(".")
            dots = _DOTS if word in self.names else 0
            if len(parts) - 1 > dots or not all(map(_is_word, parts)):
                raise ValueError(f"{word!r} cannot be written in an expression")
            if word in taken:
                raise ValueError(f"{word!r} means something else already")
            taken.add(word)


def _is_word(part: str) -> bool:
    return _WORD.fullmatch(part) is not None and not keyword.iskeyword(part)
