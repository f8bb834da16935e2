"""What a rule waits for: a condition says whether it holds, and what it looked at.

An expression of a strategy file is one (`rules/expression.py`), and so is a function of a
Python strategy. Both are three-valued: true, false, or that nobody knows (None), which never
sets a rule off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from ibkr_trader.rules.moment import Trigger

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.rules.moment import Moment

Key = tuple[str, tuple["Decimal", ...]]


class Condition(Protocol):
    """Something that holds at a moment, does not, or cannot be told."""

    @property
    def text(self) -> str:
        """The condition as somebody wrote it."""

    @property
    def triggers(self) -> frozenset[Trigger]:
        """What may make it hold: it is asked then, and at no other time."""

    @property
    def indicators(self) -> frozenset[Key]:
        """The indicators that it needs."""

    def holds(self, moment: Moment) -> bool | None:
        """Whether it holds; None if that cannot be told."""

    def facts(self, moment: Moment, /) -> Mapping[str, str]:
        """Return what it looks at, with what it sees, for people."""

    def against(self, moment: Moment) -> tuple[str, ...]:
        """Return the parts that do not hold, for people; empty if all do."""


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that is a function of a Python strategy.

    Attributes:
        function: Asked with the moment; None is that it cannot tell.
        on: What sets it off.
    """

    function: Callable[[Moment], bool | None]
    on: frozenset[Trigger]
    needs: frozenset[Key] = frozenset()
    text: str = "a function"

    @property
    def triggers(self) -> frozenset[Trigger]:
        """As it was given."""
        return self.on

    @property
    def indicators(self) -> frozenset[Key]:
        """As they were given."""
        return self.needs

    def holds(self, moment: Moment) -> bool | None:
        """Ask the function."""
        return self.function(moment)

    def facts(self, _moment: Moment, /) -> Mapping[str, str]:
        """Nobody knows what a function looks at."""
        return {}

    def against(self, moment: Moment) -> tuple[str, ...]:
        """Say that it does not hold, which is all there is to say."""
        held = self.function(moment)
        return () if held else (f"{self.text} {'cannot tell' if held is None else 'says no'}",)
