"""A condition as it is written in a strategy file: an expression over the words of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.rules.expression import Expression
from ibkr_trader.rules.expression_kinds import UNKNOWN
from ibkr_trader.rules.indicator import key_of
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.words import Looking, vocabulary

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment

# Which words need which news. The rarer news decides: a rule on a signal is asked when one
# comes, and not at every price beside it.
_RARE = {"signal": Trigger.SIGNAL, "flow": Trigger.FLOW}
_OFTEN = {
    "price": frozenset({Trigger.PRICE}),
    "position": frozenset({Trigger.PRICE, Trigger.POSITION}),
    "time": frozenset({Trigger.TIME}),
    "market": frozenset({Trigger.TIME}),
    "account": frozenset({Trigger.TIME, Trigger.POSITION}),
    "symbol": frozenset({Trigger.TIME}),
}


class Written(msgspec.Struct, frozen=True):
    """An expression, asked of moments."""

    expression: Expression

    @classmethod
    def of(cls, text: str) -> Written:
        """Read a condition.

        Raises:
            ExpressionError: If it is none, with the column of what is wrong.
        """
        return cls(Expression.parse(text, vocabulary()))

    @property
    def text(self) -> str:
        """The condition, written in one way."""
        return self.expression.text

    @property
    def triggers(self) -> frozenset[Trigger]:
        """What may make it hold, from the words in it."""
        groups = {name.partition(".")[0] for name in self.expression.names}
        rare = frozenset(_RARE[group] for group in groups if group in _RARE)
        if rare:
            return rare
        if self.expression.calls or "bar" in groups:
            return frozenset({Trigger.BAR})
        return frozenset[Trigger]().union(*(_OFTEN[group] for group in groups)) or frozenset(
            {Trigger.TIME}
        )

    @property
    def indicators(self) -> frozenset[Key]:
        """Every indicator in it."""
        return frozenset(key_of(call.function, call.arguments) for call in self.expression.calls)

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
