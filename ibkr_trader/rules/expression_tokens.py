"""The words of an expression, and which may stand behind which: before anything parses them.

Python's own parser reads our expressions (`expression_parsing.py`), and it reads much more
than we allow. So nothing comes to it that is too long, too deep, or made of anything but the
words below: it has no string prefix, escape, comment or keyword to be surprised by, nothing to
warn of, and no stack to exhaust. What is wrong is said here by column, the same under every
version of Python; only a misplaced `not` is left to the parser.
"""

from __future__ import annotations

import keyword
import re
from enum import Enum
from typing import NamedTuple

from ibkr_trader.rules.expression_kinds import LITERALS
from ibkr_trader.rules.expression_wording import ExpressionError, quoted

MAX_LENGTH = 2_000  # characters
MAX_DEPTH = 16  # parentheses within parentheses
MAX_OPERATIONS = 64  # of + - * / not, in all: they nest without parentheses
MAX_DIGITS = 30

_TOKEN = re.compile(
    r"(?P<BLANK> +)"
    r"|(?P<NUMBER>[0-9][0-9A-Za-z_.]*)"  # with all that is stuck to it, to be refused as a whole
    r"|(?P<WORD>[A-Za-z_][0-9A-Za-z_]*(?:\.[A-Za-z_][0-9A-Za-z_]*)*)"
    r"|(?P<TEXT>'[^']*'|\"[^\"]*\")|(?P<OPEN_QUOTE>['\"])"
    r"|(?P<INFIX>==|!=|<=|>=|\*\*|//|:=|[<>+*/])"
    r"|(?P<MINUS>-)|(?P<OPEN>\()|(?P<CLOSE>\))|(?P<COMMA>,)|(?P<OTHER>.)"
)
_STRANGER = re.compile(r"[^ -\[\]-~]")  # all but printable ASCII, and the backslash
_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_INFIX_WORDS = {"and", "or", "in"}
_ARITHMETIC = {"+", "*", "/"}
_PARTS = 2  # of a name
_LANGUAGE = "allowed: and or not in == != < <= > >= + - * / ( ) , names, numbers, 'texts'"
_CHARACTERS = "allowed: the printable characters of ASCII, without the backslash"
_INSTEAD = {
    "=": "equality is ==",
    "&": "write and",
    "|": "write or",
    "!": "write not, or !=",
    ".": "a number begins with a digit (0.5), a dot stands between two words (bar.close)",
    "#": "comments belong into the file, outside the expression",
    "\n": "write it in one line",
    "\t": "use a space",
    "**": "there are + - * / only",
    "//": "there are + - * / only",
    "%": "there are + - * / only",
    ":=": "equality is ==",
    "is": "equality is ==",
    "None": "what is unknown makes the whole unknown: it needs no test",
    "if": "join conditions by and, or",
}


class Role(Enum):
    """What a token can do: begin or end an operand, or stand between two."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    INFIX = "infix"
    MINUS = "minus"
    NOT = "not"
    OPEN = "open"
    CLOSE = "close"
    COMMA = "comma"


_ENDS = {Role.NUMBER, Role.TEXT, Role.NAME, Role.CLOSE}
_BEGINS = {Role.NUMBER, Role.TEXT, Role.NAME, Role.OPEN, Role.MINUS, Role.NOT}
_FOLLOWS = {Role.INFIX, Role.MINUS, Role.NOT, Role.CLOSE, Role.COMMA}
_MAY_CLOSE = {Role.OPEN, Role.COMMA}  # of a call without arguments, of a list of one text


class Token(NamedTuple):
    """A word of an expression, and the column (from 1) where it begins."""

    role: Role
    text: str
    column: int


def tokens(text: str) -> list[Token]:
    """Return the words of an expression.

    Raises:
        ExpressionError: If it is too long or too deep, has a word that we do not know, or one
            that cannot stand where it does.
    """
    if len(text) > MAX_LENGTH:
        message = f"{len(text):,} characters; {MAX_LENGTH:,} is the most"
        raise ExpressionError(message, MAX_LENGTH + 1, "make two rules of it")
    if stranger := _STRANGER.search(text):
        raise _strange(stranger.group(), stranger.start() + 1, _CHARACTERS)
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "BLANK":
            token = _token(match)
            _require_place(token, found)
            found.append(token)
    if not found:
        raise ExpressionError("there is no expression", 1, _LANGUAGE)
    last = found[-1]
    if last.role not in _ENDS:
        raise ExpressionError(f"something is missing behind {quoted(last.text)}", last.column)
    _require_shape(found)
    return found


def _token(match: re.Match[str]) -> Token:
    word, column = match.group(), match.start() + 1
    if word in _INSTEAD:
        raise _strange(word, column)
    match match.lastgroup:
        case "NUMBER":
            _require_number(word, column)
            return Token(Role.NUMBER, word, column)
        case "WORD":
            return Token(_role_of(word, column), word, column)
        case "OPEN_QUOTE":
            raise ExpressionError(
                f"the text {quoted(match.string[column - 1 :])} has no end", column
            )
        case "OTHER":
            raise _strange(word, column)
        case group:
            return Token(Role[str(group)], word, column)


def _strange(word: str, column: int, allowed: str = _LANGUAGE) -> ExpressionError:
    return ExpressionError(f"{quoted(word)} is not understood", column, _INSTEAD.get(word, allowed))


def _require_number(word: str, column: int) -> None:
    if _NUMBER.fullmatch(word) is None:
        raise ExpressionError(f"{quoted(word)} is no number", column, "write 12 or 0.85")
    if (digits := len(word.replace(".", ""))) > MAX_DIGITS:
        raise ExpressionError(f"{digits} digits; {MAX_DIGITS} is the most", column)


def _role_of(word: str, column: int) -> Role:
    if word in _INFIX_WORDS:
        return Role.INFIX
    if word == "not":
        return Role.NOT
    parts = word.split(".")
    if len(parts) > _PARTS:
        message = f"{quoted(word)} has {len(parts) - 1} dots; a name has one at most"
        raise ExpressionError(message, column)
    if word not in LITERALS and any(map(keyword.iskeyword, parts)):
        raise _strange(word, column)
    return Role.NAME


def _require_place(token: Token, before: list[Token]) -> None:
    """Refuse a token that cannot follow what stands before it."""
    last = before[-1] if before else None
    if last is not None and last.role in _ENDS:
        called = token.role is Role.OPEN and last.role is Role.NAME
        if token.role not in _FOLLOWS and not called:
            message = f"{quoted(token.text)} cannot follow {quoted(last.text)}"
            raise ExpressionError(message, token.column, "join them by an operator or a comma")
        return
    closes = token.role is Role.CLOSE and last is not None and last.role in _MAY_CLOSE
    not_in = token.text == "in" and last is not None and last.role is Role.NOT
    if token.role not in _BEGINS and not closes and not not_in:
        raise ExpressionError(f"something is missing before {quoted(token.text)}", token.column)


def _require_shape(found: list[Token]) -> None:
    """Refuse parentheses that do not match or go too deep, and too long a calculation."""
    opened: list[int] = []
    operations = 0
    for token in found:
        if token.role is Role.OPEN:
            opened.append(token.column)
            if len(opened) > MAX_DEPTH:
                message = f"more than {MAX_DEPTH} parentheses within each other"
                raise ExpressionError(message, token.column, "make two rules of it")
        elif token.role is Role.CLOSE:
            if not opened:
                raise ExpressionError("')' closes nothing", token.column)
            opened.pop()
        elif token.role in {Role.MINUS, Role.NOT} or token.text in _ARITHMETIC:
            operations += 1
            if operations > MAX_OPERATIONS:
                message = f"more than {MAX_OPERATIONS} of + - * / and not"
                raise ExpressionError(message, token.column, "make two rules of it")
    if opened:
        raise ExpressionError("'(' is never closed", opened[-1])
