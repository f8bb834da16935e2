"""A condition as it is written in a strategy file: an expression over the words of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.expression import Expression
from ibkr_trader.rules.expression_kinds import UNKNOWN
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.waking import never, triggers_of
from ibkr_trader.rules.words import Looking, vocabulary

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment


class Written(msgspec.Struct, frozen=True):
    """An expression, asked of moments.

    Attributes:
        triggers: What may make it hold, from the words in it.
        indicators: Every indicator in it.
    """

    expression: Expression
    triggers: frozenset[Trigger]
    indicators: frozenset[Key]

    @classmethod
    def of(cls, text: str) -> Written:
        """Read a condition.

        Raises:
            ExpressionError: If it is none, with the column of what is wrong.
            ValueError: If it could never hold, whatever happens.
        """
        expression = Expression.parse(text, vocabulary())
        if why := never(expression):
            raise ValueError(why)
        keys = frozenset((call.function, call.filled) for call in expression.calls)
        return cls(expression, triggers_of(expression.root), keys)

    @property
    def text(self) -> str:
        """The condition, written in one way."""
        return self.expression.text

    def holds(self, moment: Moment) -> bool | None:
        """Whether it holds; None if that is not known."""
        value = self.expression.value(Looking(moment))
        return None if value is UNKNOWN else value is True

    def facts(self, moment: Moment) -> Mapping[str, str]:
        """Return each word and indicator in it, with what it stands for."""
        return self.expression.explain(Looking(moment))

    def against(self, moment: Moment) -> tuple[str, ...]:
        """Return its parts that do not hold, and what they saw."""
        return self.expression.failing(Looking(moment))
