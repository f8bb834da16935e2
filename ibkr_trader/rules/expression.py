"""A condition or an amount of a strategy file: read once, asked as often as the market moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ibkr_trader.rules import expression_explaining as explaining
from ibkr_trader.rules.expression_evaluating import compiled
from ibkr_trader.rules.expression_kinds import Kind, Scope, Unknown, Value, Vocabulary
from ibkr_trader.rules.expression_logic import Run
from ibkr_trader.rules.expression_nodes import Call, Node, kind_of
from ibkr_trader.rules.expression_parsing import parsed


@dataclass(frozen=True, slots=True)
class Expression:
    """Something that a strategy file asks of the market; equal to another of the same meaning.

    Attributes:
        root: Its tree.
        names: The names that it looks at, and how many bars back at most (0 is now).
        calls: The functions of the vocabulary that it calls, likewise.
    """

    root: Node
    names: Mapping[str, int] = field(init=False, compare=False, repr=False)
    calls: Mapping[Call, int] = field(init=False, compare=False, repr=False)
    _run: Run = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", explaining.names(self.root))
        object.__setattr__(self, "calls", explaining.calls(self.root))
        object.__setattr__(self, "_run", compiled(self.root))

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str, vocabulary: Vocabulary, *, wants: Kind = Kind.TRUTH) -> Expression:
        """Read an expression, and check all of it.

        Raises:
            ExpressionError: If it is none, or does not give what is wanted: with the column,
                what stands there, and what could.
        """
        return cls(parsed(text, vocabulary, wants=wants))

    @property
    def kind(self) -> Kind:
        """The kind of its value."""
        return kind_of(self.root)

    @property
    def text(self) -> str:
        """How it is written, in one way whatever its author did; read again, it is the same."""
        return str(self.root)

    def value(self, scope: Scope) -> Value | Unknown:
        """Return its value, or `UNKNOWN`.

        Raises:
            TypeError: If the scope gives something else than its vocabulary promised.
        """
        value: Value | Unknown = self._run(scope)
        return value

    def explain(self, scope: Scope) -> Mapping[str, str]:
        """Return each name and call that it looks at, with its value as people read it."""
        return explaining.facts(self.root, scope)

    def failing(self, scope: Scope) -> tuple[str, ...]:
        """Return which of its conditions are not true, and what they saw; empty if it holds."""
        return explaining.shortfalls(self.root, scope)
