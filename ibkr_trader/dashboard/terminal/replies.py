"""What terminals say by themselves is kept away from the keys.

A terminal answers questions (what are you, where is the cursor, which colour is the background)
on the line on which keys come, also questions that another program asked before us. To a key
parser the answer `ESC[?62;22c` is a few unknown characters and the letter `c`, and letters are
commands here. So every sequence is read to its end first; what is a known key goes on, what is
not is dropped whole.

This is a state machine over single characters, so that the way in which the input was cut into
reads cannot matter. Time is told by `flush`: nothing has come for a while.

- A lone ESC is the Escape key only when nothing follows it, which `flush` tells. `[B` that comes
  after the flush is then what it looks like: a bracket and a B. Nothing can tell a slow line
  from a person here, so no single key that does harm may be the end of a sequence (`A` to `D`,
  `F`, `H`, `P` to `S`, `Z`, `~`), and whatever does harm asks first.
- A sequence that has begun in earnest (`ESC[`, `ESC]`, …) and stops is a reply on a slow line, or
  somebody's Alt+[. It stays open over one pause, and what then ends it is dropped with it. If
  one character at most came between two pauses, somebody is typing: it is given up. So a person
  loses one key, and a reply in two halves loses all of its letters. Its length does not matter:
  what is dropped is not kept either.
- Within a bracketed paste nothing is looked at but its end. A paste whose end never comes keeps
  the keyboard: its rest would be commands. Ctrl-C is a signal, and works.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.keys import Keys

ESCAPE = "\x1b"
PASTE_BEGINS = "\x1b[200~"
PASTE_ENDS = "\x1b[201~"
MOST_PASTED = 65_536  # characters of one paste that are kept

_NO_KEYS = {Keys.Ignore, Keys.BracketedPaste, Keys.ScrollUp, Keys.ScrollDown}
_KNOWN = {
    sequence
    for sequence, key in ANSI_SEQUENCES.items()
    if sequence.startswith(ESCAPE) and key not in _NO_KEYS
}
_LONGEST = max(map(len, _KNOWN))
_STRINGS = "P]X^_"  # DCS, OSC, SOS, PM, APC: all that follows is text, up to BEL or ST
_CANCELS = "\x18\x1a"  # CAN and SUB: the terminal itself takes the sequence back
_BELL, _STRING_ENDS = "\x07", "\x9c"
_UNKNOWN = "\ufffd"  # what could not be decoded
# The introducers as one character: the same as ESC and a letter.
_C1 = {"\x8f": "O", "\x9b": "["} | {chr(ord(letter) + 0x40): letter for letter in _STRINGS}
_MOUSE_REPORT = 3  # characters after `ESC[M`: button, column, row


class _State(Enum):
    GROUND = "between sequences"
    ESCAPE = "after ESC"
    CSI = "in ESC["
    SS3 = "in ESC O"
    COUNTED = "in a sequence of a known length"
    STRING = "in a string"
    STRING_ESCAPE = "in a string, after ESC"
    PASTE = "in a bracketed paste"


def _is_control(char: str) -> bool:
    return char < " " or "\x7f" <= char <= "\x9f"


class Replies:
    """The filter: text in, whole keys out.

    What comes out is a list of wholes, so that Alt+x (`ESC` and `x` at once) stays different from
    Escape and then x: a character, a known sequence, `ESC` with a character, or a paste with its
    brackets. Joined, they are the text without the replies.
    """

    def __init__(self) -> None:
        self._state = _State.GROUND
        self._held = ""  # what has come of a sequence
        self._left = 0  # how many characters a counted sequence still has
        self._since = 0  # characters of the open sequence since the last pause
        self._is_cut = False  # there was a pause within it
        self._pasted: list[str] = []
        self._matched = 0  # characters of the end of a paste that have come
        self._steps: dict[_State, Callable[[str], str]] = {
            _State.GROUND: self._ground,
            _State.ESCAPE: self._escape,
            _State.CSI: self._csi,
            _State.SS3: self._ss3,
            _State.COUNTED: self._counted,
            _State.STRING: self._string,
            _State.STRING_ESCAPE: self._string_escape,
            _State.PASTE: self._paste,
        }

    @property
    def is_in_paste(self) -> bool:
        """Whether a paste has begun and not ended."""
        return self._state is _State.PASTE

    def feed(self, text: str) -> list[str]:
        """Return the keys and pastes that are complete after `text`."""
        keys = []
        for char in text:
            self._since += 1
            if key := self._steps[self._state](char):
                keys.append(key)
        return keys

    def flush(self) -> list[str]:
        """Nothing has come for a while: return the Escape key, if that is what was pressed."""
        key = []
        match self._state:
            case _State.GROUND | _State.PASTE:
                pass
            case _State.ESCAPE:
                key = [ESCAPE]
                self._end()
            case _ if self._is_cut and self._since <= 1:
                self._end()
            case _:
                self._is_cut = True
        self._since = 0
        return key

    def _end(self, key: str = "") -> str:
        self._state, self._held = _State.GROUND, ""
        self._is_cut = False
        return key

    def _end_known(self) -> str:
        """End a sequence: it is a key if it is known, and came in one piece."""
        return self._end(self._held if self._held in _KNOWN and not self._is_cut else "")

    def _begin(self, key: str = "") -> str:
        self._end()
        self._state, self._held = _State.ESCAPE, ESCAPE
        return key

    def _keep(self, char: str) -> None:
        """Remember a character of a sequence; one that is too long is not known in any case."""
        if len(self._held) <= _LONGEST:
            self._held += char

    def _ground(self, char: str) -> str:
        if char == ESCAPE:
            return self._begin()
        if char in _C1:
            self._begin()
            return self._escape(_C1[char])
        return "" if "\x80" <= char <= "\x9f" or char == _UNKNOWN else char

    def _escape(self, char: str) -> str:
        if char == ESCAPE:
            return self._begin(ESCAPE)
        if char in _C1:
            return self._ground(char)
        self._keep(char)
        if char == "[":
            self._state = _State.CSI
        elif char == "O":
            self._state = _State.SS3
        elif char in _STRINGS:
            self._state = _State.STRING
        else:
            return self._end(self._held)
        return ""

    def _csi(self, char: str) -> str:
        if char == ESCAPE:
            return self._begin()
        if char in _CANCELS:
            return self._end()
        if _is_control(char) or char > "~":
            return ""
        is_first = self._held == "\x1b["
        self._keep(char)
        if char < "@":  # parameters and intermediates
            return ""
        if is_first and char in "M[":  # a mouse report; a function key of the Linux console
            self._state = _State.COUNTED
            self._left = _MOUSE_REPORT if char == "M" else 1
            return ""
        if self._held == PASTE_BEGINS:
            self._end()
            self._state, self._pasted, self._matched = _State.PASTE, [], 0
            return ""
        return self._end_known()

    def _ss3(self, char: str) -> str:
        if char == ESCAPE:
            return self._begin()
        if char in _CANCELS:
            return self._end()
        if _is_control(char):
            return ""
        self._keep(char)
        return "" if char.isdecimal() or char == ";" else self._end_known()

    def _counted(self, char: str) -> str:
        if char == ESCAPE:
            return self._begin()
        self._keep(char)
        self._left -= 1
        return "" if self._left else self._end_known()

    def _string(self, char: str) -> str:
        if char == ESCAPE:
            self._state = _State.STRING_ESCAPE
        elif char in {_BELL, _STRING_ENDS} or char in _CANCELS:
            self._end()
        return ""

    def _string_escape(self, char: str) -> str:
        if char == "\\":
            return self._end()
        self._begin()  # no end of a string: ESC takes it back, and begins something else
        return self._escape(char)

    def _paste(self, char: str) -> str:
        if char == PASTE_ENDS[self._matched]:
            self._matched += 1
            if self._matched < len(PASTE_ENDS):
                return ""
            return self._end(PASTE_BEGINS + "".join(self._pasted) + PASTE_ENDS)
        text = PASTE_ENDS[: self._matched]
        self._matched = int(char == ESCAPE)  # ESC stands nowhere else in the end of a paste
        if not self._matched:
            text += char
        if len(self._pasted) < MOST_PASTED:
            self._pasted.extend(text)
        return ""
