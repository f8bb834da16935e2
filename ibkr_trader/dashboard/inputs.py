"""What the reducer is told: keys, the trader's glimpses and answers, and the passing of time."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from ibkr_trader.dashboard.scene import Glimpse


class Pressed(msgspec.Struct, frozen=True):
    """A key: a character as typed, or a name from `keys.NAMES` such as `up` or `enter`."""

    key: str


class Pasted(msgspec.Struct, frozen=True):
    """Text that was pasted: it belongs into a text field, or nowhere."""

    text: str


class Saw(msgspec.Struct, frozen=True):
    """The trader has told how things stand."""

    glimpse: Glimpse


class Ticked(msgspec.Struct, frozen=True):
    """Time has passed: `now` is seconds of a clock that only goes forward."""

    now: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended.

    Attributes:
        is_done: It was done, and verified; otherwise `code` names the error.
        lines: What it says, for people, without control characters.
        is_unknown: It may have been sent, and nobody can say: never repeat it.
        data: Its document.
    """

    is_done: bool
    code: str = ""
    lines: tuple[str, ...] = ()
    is_unknown: bool = False
    data: dict[str, Any] = {}


class Answered(msgspec.Struct, frozen=True):
    """The command of this number has ended."""

    call: int
    outcome: Outcome


class Questioned(msgspec.Struct, frozen=True):
    """The command of this number asks something: to be answered with yes, or by typing."""

    call: int
    question: str
    is_typed: bool = False


class Linked(msgspec.Struct, frozen=True):
    """The line to the trader stands, or (with words) is gone."""

    is_up: bool
    words: str = ""


class Interrupted(msgspec.Struct, frozen=True):
    """Ctrl-C was pressed, or the process was asked to end."""


class Refused(msgspec.Struct, frozen=True):
    """The terminal could not do what was asked; `text` says why."""

    text: str


FromTrader: TypeAlias = Saw | Answered | Questioned | Linked
FromTerminal: TypeAlias = Pressed | Pasted | Ticked | Interrupted | Refused
Input: TypeAlias = FromTerminal | FromTrader
