"""What a rule looks at: one symbol at one moment, in a few plain words.

The shell composes it; nothing in it changes. What is not known is absent, and a rule that asks
for it gets UNKNOWN, which is neither true nor false. The words themselves, with their kinds and
what each means, stand in `rules/words.py`.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.models import Position, Quote, Session
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.rules.study import Study


class Trigger(StrEnum):
    """What sets a rule off, the rarest first."""

    SIGNAL = "signal"
    FLOW = "flow"
    BAR = "bar"
    POSITION = "position"
    PRICE = "price"
    TIME = "time"


NEWS = frozenset({Trigger.SIGNAL, Trigger.FLOW})  # each comes once, and somebody sent it


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What is held, what protects it, and what is under way.

    Attributes:
        position: None is flat.
        is_known: Whether the desk is in sync; else nobody knows what is held.
        stop: Where the nearest stop stands; None without one.
        r: The open gain in units of what the stop would cost; None if that is not known.
        book: The executions behind it.
        is_entering: An order that opens or adds works.
        is_leaving: It is on its way to flat, or a person wants it left alone: nothing acts on it.
        owner: The strategy that opened it; empty if none of ours did.
    """

    position: Position | None = None
    is_known: bool = True
    stop: Decimal | None = None
    r: Decimal | None = None
    book: Book | None = None
    is_entering: bool = False
    is_leaving: bool = False
    owner: str = ""

    @property
    def quantity(self) -> Decimal:
        """What is held, signed."""
        return self.position.quantity if self.position is not None else Decimal(0)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account's figures; None is not known."""

    equity: Decimal | None = None
    available: Decimal | None = None
    day_pnl: Decimal | None = None
    positions: int = 0


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol at one moment.

    Attributes:
        trigger: Why it is looked at.
        zone: The exchange's, for what is said by its clock.
        session: The regular hours that `now` lies in, or else the next; None if unknown.
        study: The bars and indicators so far; None before the first bar.
    """

    now: datetime
    symbol: str
    trigger: Trigger
    zone: tzinfo
    signal: ev.PredictionSignalEvent | None = None
    flow: ev.FlowThresholdEvent | None = None
    quote: Quote | None = None
    holding: Holding = Holding()
    account: Account = Account()
    state: TradingState = TradingState.ACTIVE
    session: Session | None = None
    study: Study | None = None

    @property
    def mark(self) -> Decimal | None:
        """What one is worth now; the last bar's close where nobody quotes.

        Never the close of the session before, which a quote falls back to: that is no price
        of now, and what is counted from it would look as if nothing had moved since.
        """
        quote = self.quote
        if quote is not None and (quote.last or quote.is_two_sided):
            return quote.mark
        bar = self.study.bar if self.study is not None else None
        return bar.close if bar is not None else None

    def indicator(self, name: str, arguments: tuple[Decimal, ...] = ()) -> Decimal | None:
        """Return an indicator's value; None while it warms up.

        Raises:
            LookupError: If nobody has declared that it is needed, so that it never warms up.
            ValueError: If there is no such indicator.
        """
        return self.study.value((name, arguments)) if self.study is not None else None
