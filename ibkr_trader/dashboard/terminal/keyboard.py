"""Bytes of a terminal, as keys and pasted text.

Four steps: bytes to characters, `replies` to drop what the terminal said by itself,
prompt_toolkit's parser for what a sequence means, and our own names. What no step knows is no
key: above all Alt+x and what cannot be decoded never become the letter in them.

A terminal without bracketed paste types a paste like a very fast person. Within one read no
person presses many different keys, and none goes on typing behind an Enter that has not been
acted on yet. Such a read is a paste, and so is all that follows it without a pause: text for a
field, or nothing.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, TypeAlias

from prompt_toolkit.input.vt100_parser import Vt100Parser
from prompt_toolkit.keys import Keys

from ibkr_trader.dashboard.inputs import Pasted, Pressed
from ibkr_trader.dashboard.key_names import CONTROLS, FUNCTIONS
from ibkr_trader.dashboard.terminal.replies import ESCAPE, Replies

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prompt_toolkit.key_binding.key_processor import KeyPress

KeyInput: TypeAlias = Pressed | Pasted

MOST_TYPED = 8  # different keys in a row that one read may hold; one that is held down counts once
MOST_PASTED = 1000  # characters of a paste that are passed on

_NAMES: dict[Keys, str] = {
    Keys.Up: "up",
    Keys.Down: "down",
    Keys.Left: "left",
    Keys.Right: "right",
    Keys.Home: "home",
    Keys.End: "end",
    Keys.PageUp: "pageup",
    Keys.PageDown: "pagedown",
    Keys.ControlI: "tab",
    Keys.BackTab: "backtab",
    Keys.ControlM: "enter",
    Keys.Escape: "escape",
    Keys.ControlH: "backspace",
    Keys.Delete: "delete",
    Keys.Insert: "insert",
}
_NAMES |= {Keys(name.replace("ctrl-", "c-")): name for name in CONTROLS}
_NAMES |= {Keys(name): name for name in FUNCTIONS}

_ENTERS = {"\r", "\n"}
_BLANKS = re.compile(r"(?:[^\S ]|[\x00-\x1f\x7f-\x9f])+")


class Keyboard:
    """The keys of one terminal, from the bytes that it sends.

    `flush` has to be called when nothing has come for about 50 ms after a read: only then is a
    lone ESC the Escape key, and a burst over.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._replies = Replies()
        self._presses: list[KeyPress] = []
        self._parser = Vt100Parser(self._presses.append)
        self._is_burst = False

    @property
    def is_in_paste(self) -> bool:
        """Whether a paste has begun and not ended: until it does, no key is one."""
        return self._replies.is_in_paste

    def feed(self, data: bytes) -> list[KeyInput]:
        """Return what one read of the terminal amounts to."""
        tokens = self._replies.feed(_decoded(self._decoder.decode(data)))
        self._is_burst = self._is_burst or _is_burst(tokens)
        if self._is_burst:
            return _pasted("".join(one for one in map(self._text, tokens) if one))
        return self._inputs(tokens)

    def flush(self) -> list[KeyInput]:
        """Nothing has come for a while: return the Escape key, if that is what was pressed."""
        tokens = self._replies.flush()
        was_burst, self._is_burst = self._is_burst, False
        return [] if was_burst else self._inputs(tokens)

    def _inputs(self, tokens: Iterable[str]) -> list[KeyInput]:
        found: list[KeyInput] = []
        for token in tokens:
            press = self._press(token)
            if press is None:
                continue
            if press.key is Keys.BracketedPaste:
                found += _pasted(press.data)
            elif isinstance(press.key, Keys):
                found += [Pressed(_NAMES[press.key])] if press.key in _NAMES else []
            elif press.key.isprintable():
                found.append(Pressed(press.key))
        return found

    def _press(self, token: str) -> KeyPress | None:
        """Return the key of a whole sequence; None if it is more than one, as Alt+x is."""
        self._parser.feed(token)
        self._parser.flush()
        presses = tuple(self._presses)
        self._presses.clear()
        return presses[0] if len(presses) == 1 else None

    def _text(self, token: str) -> str:
        """Return what a token adds to a paste."""
        if len(token) == 1:
            return "" if token == ESCAPE else token
        press = self._press(token)
        return press.data if press and press.key is Keys.BracketedPaste else ""


def _decoded(text: str) -> str:
    """Return the text with single bytes from 80 to 9f as the controls that they are.

    A terminal that is not set to UTF-8 may begin its replies with them; a reply whose beginning
    were thrown away as undecodable would leave its letters behind. No other byte means anything.
    """
    if text.isascii():
        return text
    return "".join(
        char
        if not "\udc80" <= char <= "\udcff"
        else chr(ord(char) - 0xDC00)
        if char <= "\udc9f"
        else "\ufffd"
        for char in text
    )


def _is_burst(tokens: Iterable[str]) -> bool:
    """Tell a paste that looks like keys from a person who types."""
    different, before, is_entered = 0, "", False
    for token in tokens:
        if token in _ENTERS:
            is_entered = True
        elif len(token) == 1 and token.isprintable():
            different += token != before
            if is_entered or different > MOST_TYPED:
                return True
        before = token
    return False


def _pasted(text: str) -> list[KeyInput]:
    """Return pasted text as one line.

    What stood between two lines or cells becomes a space and is not just left out: of two
    figures, one below the other, nobody meant the number that they make side by side.
    """
    line = _BLANKS.sub(" ", text[: MOST_PASTED * 2])
    line = "".join(char for char in line if char.isprintable()).strip()[:MOST_PASTED]
    return [Pasted(line)] if line else []
