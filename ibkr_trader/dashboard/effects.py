"""What the reducer asks the shell to do. Only these reach the trader or the terminal."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

Options: TypeAlias = dict[str, str | bool | list[str] | None]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Run a command of the command line at the trader.

    Attributes:
        call: Its number; `Answered` and `Questioned` carry it.
        command: Its family and name, as the trader knows them: `revise.cancel`.
        words: What a person would call it; the journal keeps it beside the operator's name.
        looks: It changes nothing: a question of the screen's own.
    """

    call: int
    command: str
    options: Options = {}
    words: str = ""
    looks: bool = False


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Answer the question of a command; None hangs up, and the command does not go on."""

    call: int
    text: str | None


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """Close the screen; `ends_trader` is for the trader's own terminal alone.

    `is_interrupted` says that it was Ctrl-C: the exit code tells.
    """

    ends_trader: bool = False
    is_interrupted: bool = False


class Repaint(msgspec.Struct, frozen=True):
    """Draw everything anew: something else has written on the terminal."""


Effect: TypeAlias = Act | Reply | Leave | Repaint
