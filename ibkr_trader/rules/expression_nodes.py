"""What an expression is once it has been read: a tree of small values, and how it is written.

The tree is all there is: it is compared, written down again and evaluated, and the text that
it came from is forgotten. `str` of a node is how it is written, with no more parentheses than
it needs; read again, that is the same tree.
"""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import assert_never

import msgspec

from ibkr_trader.rules.expression_kinds import Kind, Value

# How tightly an operator binds; a weaker one within a stronger one takes parentheses.
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _ATOM = range(8)
_BINDS = {"or": _OR, "and": _AND, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


class Literal(msgspec.Struct, frozen=True):
    """A value that is written out. Its kind is part of it: 1 and true are not the same."""

    kind: Kind
    value: Value

    def __str__(self) -> str:
        match self.value:
            case bool():
                return "true" if self.value else "false"
            case Decimal():
                return _digits(self.value)
            case time():
                return f"'{self.value:%H:%M}'"
            case _:
                return _quoted(self.value)


class Lookup(msgspec.Struct, frozen=True):
    """A name of the vocabulary."""

    name: str
    kind: Kind

    def __str__(self) -> str:
        return self.name


class Call(msgspec.Struct, frozen=True):
    """A function of the vocabulary, with its arguments: as they are written, and all of them."""

    function: str
    arguments: tuple[Decimal, ...]
    filled: tuple[Decimal, ...]

    def __str__(self) -> str:
        return _call(self.function, *map(_digits, self.arguments))


class Applied(msgspec.Struct, frozen=True):
    """`min`, `max` or `abs` of numbers."""

    function: str
    arguments: tuple[Node, ...]

    def __str__(self) -> str:
        return _call(self.function, *self.arguments)


class Negative(msgspec.Struct, frozen=True):
    """A number with its sign changed."""

    operand: Node

    def __str__(self) -> str:
        return f"-{_within(self.operand, _SIGN)}"


class Arithmetic(msgspec.Struct, frozen=True):
    """Two numbers and one of `+ - * /`."""

    left: Node
    sign: str
    right: Node

    def __str__(self) -> str:
        binds = _BINDS[self.sign]
        left, right = _within(self.left, binds), _within(self.right, binds + 1)
        return f"{left} {self.sign} {right}"


class Comparison(msgspec.Struct, frozen=True):
    """A chain of one comparison or more: `a < b <= c` holds if both do."""

    first: Node
    steps: tuple[tuple[str, Node], ...]

    def __str__(self) -> str:
        steps = (f" {sign} {_within(operand, _SUM)}" for sign, operand in self.steps)
        return _within(self.first, _SUM) + "".join(steps)


class Membership(msgspec.Struct, frozen=True):
    """Whether a text is one of some, or (`is_negated`) none of them."""

    operand: Node
    values: tuple[str, ...]
    is_negated: bool

    def __str__(self) -> str:
        values = ", ".join(map(_quoted, self.values)) + ("," if len(self.values) == 1 else "")
        return f"{_within(self.operand, _SUM)} {'not in' if self.is_negated else 'in'} ({values})"


class Not(msgspec.Struct, frozen=True):
    """The opposite of a truth."""

    operand: Node

    def __str__(self) -> str:
        return f"not {_within(self.operand, _NOT)}"


class Joined(msgspec.Struct, frozen=True):
    """Truths joined by `and` or by `or`."""

    word: str
    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return f" {self.word} ".join(_within(part, _BINDS[self.word]) for part in self.parts)


class Previous(msgspec.Struct, frozen=True):
    """What something was one bar ago."""

    operand: Node

    def __str__(self) -> str:
        return _call("previous", self.operand)


class Crossing(msgspec.Struct, frozen=True):
    """Whether one number has just come to the other side of another."""

    function: str
    left: Node
    right: Node

    def __str__(self) -> str:
        return _call(self.function, self.left, self.right)


Condition = Comparison | Membership | Not | Joined | Crossing
Node = Literal | Lookup | Call | Applied | Negative | Arithmetic | Previous | Condition


def kind_of(node: Node) -> Kind:
    """Return the kind of a node's value."""
    match node:
        case Literal() | Lookup():
            return node.kind
        case Call() | Applied() | Negative() | Arithmetic():
            return Kind.NUMBER
        case Previous():
            return kind_of(node.operand)
        case _:
            return Kind.TRUTH


def below(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below one, in the order in which they are written."""
    match node:
        case Literal() | Lookup() | Call():
            return ()
        case Negative() | Membership() | Not() | Previous():
            return (node.operand,)
        case Arithmetic() | Crossing():
            return (node.left, node.right)
        case Comparison():
            return (node.first, *(operand for _, operand in node.steps))
        case Applied():
            return node.arguments
        case Joined():
            return node.parts
        case _:
            assert_never(node)


def _within(node: Node, binds: int) -> str:
    """Return a node as it is written within another: in parentheses if that binds tighter."""
    return str(node) if _strength(node) >= binds else f"({node})"


def _strength(node: Node) -> int:
    match node:
        case Joined():
            return _BINDS[node.word]
        case Not():
            return _NOT
        case Comparison() | Membership():
            return _COMPARISON
        case Arithmetic():
            return _BINDS[node.sign]
        case Negative():
            return _SIGN
        case _:
            return _ATOM


def _call(function: str, *arguments: object) -> str:
    return f"{function}({', '.join(map(str, arguments))})"


def _digits(value: Decimal) -> str:
    return f"{value:f}"


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"
