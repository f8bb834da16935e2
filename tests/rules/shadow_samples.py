"""Decisions of a shadow, and the market that its orders meet, written shortly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ibkr_trader.core.enums import Side
from ibkr_trader.core.events import DecisionEvent
from ibkr_trader.core.models import Bar, Contract, Quote
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import FixedQuantity
from ibkr_trader.rules.shadow_terms import Purse, shadow_terms
from ibkr_trader.rules.wish_text import kind_of, line_of
from ibkr_trader.rules.wishes import Add, Enter, Exit, LetTrail, MoveStop, Wish

AAPL = Contract(symbol="AAPL", con_id=1)
NOON = datetime(2026, 11, 16, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAME, VERSION = "one", "v1"


def D(text: str | int) -> Decimal:  # noqa: N802 - as in the pages
    return Decimal(text)


def quote(bid: str, ask: str, *, last: str | None = None, **fields: Any) -> Quote:
    """Return a quote; without a last price one is worth the middle."""
    price = D(last) if last is not None else None
    return Quote(contract=AAPL, at=NOON, bid=D(bid), ask=D(ask), last=price, **fields)


def bar(*prices: str, at: datetime = NOON) -> Bar:
    """Return a bar of open, high, low and close."""
    first, high, low, close = map(D, prices)
    return Bar(contract=AAPL, at=at, open=first, high=high, low=low, close=close)


def decision(
    wish: Wish,
    *,
    name: str = "d1",
    at: datetime = NOON,
    purse: Purse = Purse(mark=Decimal(100), equity=Decimal(100_000)),  # noqa: B008 - a value
    **fields: Any,
) -> DecisionEvent:
    """Return a shadow's decision as it goes on record."""
    usual: dict[str, Any] = {
        "strategy": NAME,
        "version": VERSION,
        "is_shadow": True,
        "cause": "bar",
        "words": line_of(wish),
        "price": purse.mark,
    }
    return DecisionEvent(
        at=at,
        decision_id=name,
        rule="R",
        ticker="AAPL",
        wish=kind_of(wish),
        terms=shadow_terms(wish, purse),
        **{**usual, **fields},
    )


def enter(side: Side = Side.BUY, quantity: int = 10, **fields: Any) -> Enter:
    """Return a wish to enter, given up 5 away unless it says otherwise."""
    usual: dict[str, Any] = {"stop": D(100 - 5 * side.sign), "size": FixedQuantity(D(quantity))}
    return Enter(symbol="AAPL", side=side, **{**usual, **fields})


def add(quantity: int = 5, **fields: Any) -> Add:
    return Add(symbol="AAPL", quantity=D(quantity), **fields)


def leave(only: Side | None = None) -> Exit:
    return Exit(symbol="AAPL", only=only)


def move(level: str) -> MoveStop:
    return MoveStop(symbol="AAPL", level=D(level))


def trail(amount: str, **fields: Any) -> LetTrail:
    return LetTrail(symbol="AAPL", trail=Trail(amount=D(amount), **fields))
