"""The terminal as the place where a person answers, if one sits there."""

from __future__ import annotations

import sys

from ibkr_trader.cli.exits import Unconfirmed
from ibkr_trader.core.text import plain

_LONGEST = 200  # characters of an answer


def is_attended() -> bool:
    """Whether a person can be asked: both ends of the talk are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def typed(question: str) -> str:
    """Ask `question` and return what is typed, without the blanks around it.

    Raises:
        Unconfirmed: If there is nobody to ask.
    """
    if not is_attended():
        message = f"{plain(question).rstrip(':')}. There is no terminal to type it on"
        raise Unconfirmed(message, hint="repeat the command at a terminal: --yes is no answer here")
    sys.stderr.write(f"{plain(question)} ")
    sys.stderr.flush()
    return sys.stdin.readline(_LONGEST).strip()


def require(answer: str, expected: str) -> None:
    """Take an answer only if it is, letter by letter, what was expected.

    Raises:
        Unconfirmed: If it is not.
    """
    if answer != expected:
        message = "That is not what had to be typed: nothing was done"
        raise Unconfirmed(message, hint="type it in full, letter by letter")
