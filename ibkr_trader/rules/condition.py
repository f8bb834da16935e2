"""What a rule waits for: a condition says whether it holds, and what it looked at.

An expression of a strategy file is one (`rules/written.py`). It is three-valued: true, false, or
that nobody knows (None), which never sets a rule off. A method of a Python strategy is asked
whenever its news comes (`rules/program.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.rules.moment import Moment, Trigger

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
