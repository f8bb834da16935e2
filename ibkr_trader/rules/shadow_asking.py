"""A shadow, asked about one moment: what its rules decide, and its book with the orders of that.

The same for the shadows of a desk and for a rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.rules.decided import Occasion
from ibkr_trader.rules.engine import decide
from ibkr_trader.rules.shadow_bounds import Marks, bounded
from ibkr_trader.rules.shadow_terms import ONE, Purse, shadow_terms

if TYPE_CHECKING:
    from ibkr_trader.core.events import DecisionEvent, FaultEvent
    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.rule import Strategy
    from ibkr_trader.rules.rule_memory import RuleMemory
    from ibkr_trader.rules.shadow_book import ShadowBook


class Around(NamedTuple):
    """What a shadow's decisions need beside its moment.

    Attributes:
        memory: What rules have decided before.
        cause: What set the rules off, as the record says it.
        name: Gives each decision its name.
        marks: Says what one of a symbol is worth; None if nobody knows.
        multiplier: Of what is asked about.
        lot: The least that can be traded of it.
    """

    memory: RuleMemory
    cause: str
    name: Callable[[], str]
    marks: Marks
    multiplier: Decimal = ONE
    lot: Decimal = ONE


class ShadowVerdict(NamedTuple):
    """The book with what was decided, and what goes on record of it."""

    book: ShadowBook
    faults: tuple[FaultEvent, ...]
    decisions: tuple[DecisionEvent, ...]


def asked(strategy: Strategy, book: ShadowBook, moment: Moment, *, around: Around) -> ShadowVerdict:
    """Return what a shadow decides about a moment; that holds already what it would hold."""
    verdict = decide(strategy, around.memory, moment, is_shadow=True, explains=False)
    occasion = Occasion(strategy, moment, around.cause, is_shadow=True)
    purse = Purse(
        mark=moment.mark,
        equity=moment.account.equity,
        multiplier=around.multiplier,
        lot=around.lot,
    )
    decisions: list[DecisionEvent] = []
    for one in verdict.decided:
        wish, terms = one.wish, shadow_terms(one.wish, purse)
        terms = bounded(
            strategy, book, moment, wish=wish, terms=terms, marks=around.marks, lot=around.lot
        )
        decision = occasion.decision(one, name=around.name(), terms=terms)
        book, _ = book.after(decision, moment.now)
        decisions.append(decision)
    return ShadowVerdict(book, occasion.faults(verdict), tuple(decisions))
