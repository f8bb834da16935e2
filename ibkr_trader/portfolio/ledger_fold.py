"""How executions, prices and reports move the ledgers of a `PortfolioState`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import ZERO, Contract, Fill, Position, Quote
from ibkr_trader.portfolio.positions import Book

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.portfolio.state import PortfolioState

_replace = msgspec.structs.replace


class Close(NamedTuple):
    """The close of the session before, and when it was heard first: of which day it speaks."""

    price: Decimal
    heard: datetime


def execute(state: PortfolioState, fill: Fill) -> PortfolioState:
    """Return `state` with an execution in its ledger, new or in its latest revision."""
    con_id = fill.contract.con_id
    book = state.books.get(con_id) or Book.open(fill.account, fill.contract)
    moved = book.after(fill)
    state = _replace(
        state,
        fills=state.fills.plus(fill.fill_id, fill),
        books={**state.books, con_id: moved},
        positions=_with(state, con_id, moved.position),
    )
    subject = subject_of(fill.contract)
    if subject in state.drift and state.reported.get(con_id, ZERO) == moved.position.quantity:
        return without_drift(state, subject)
    return state


def charge(state: PortfolioState, fill: Fill) -> PortfolioState:
    """Return `state` with the cost of an execution in its ledger; nothing moves."""
    con_id = fill.contract.con_id
    book = state.books.get(con_id)
    if book is None or fill.fill_id not in book.fills:
        return state
    return _replace(state, books={**state.books, con_id: book.charged(fill)})


def mark(state: PortfolioState, con_id: int, price: Decimal | None) -> PortfolioState:
    """Return `state` with a contract's last price; no price is no news."""
    if price is None or state.marks.get(con_id) == price:
        return state
    state = _replace(state, marks={**state.marks, con_id: price})
    held = state.positions.get(con_id)
    return state if held is None else _replace(state, positions=_with(state, con_id, held))


def priced(state: PortfolioState, con_id: int, quote: Quote, *, at: datetime) -> PortfolioState:
    """Return `state` with what a quote, heard `at` a moment, says: its price, and the last close.

    A quote repeats the close that it was told last. So one that is the same as before is not
    heard again: nobody could tell whether it is of one session later.
    """
    close, known = quote.close, state.closes.get(con_id)
    if close is not None and close > 0 and (known is None or known.price != close):
        state = _replace(state, closes={**state.closes, con_id: Close(close, at)})
    return mark(state, con_id, quote.mark)


def report(state: PortfolioState, event: ev.PositionReportEvent) -> PortfolioState:
    """Return `state` after the broker's word on a position: confirmed, or drift."""
    stated, contract = event.position.quantity, event.position.contract
    con_id, subject = contract.con_id, subject_of(contract)
    state = _replace(state, reported={**state.reported, con_id: stated})
    if not state.has_synced:
        return state
    ours = quantity_of(state, con_id)
    if ours == stated:
        return without_drift(state, subject)
    known = state.drift.get(subject)
    at = known.at if known is not None else event.at  # since when it has been so
    found = ev.DriftEvent(at=at, subject=subject, ours=f"{ours:f}", theirs=f"{stated:f}")
    return with_drift(state, found)


def resume(state: PortfolioState, event: ev.CheckpointEvent) -> PortfolioState:
    """Return `state` as a checkpoint continues it: fills counted once, positions as stated."""
    news = [fill for fill in event.fills if is_news(state, fill)]
    if event.positions is None:
        for fill in news:
            state = execute(state, fill)
        return state
    fills, is_known = state.fills, state.has_synced
    for fill in news:
        fills = fills.plus(fill.fill_id, fill)
    state = anchored(_replace(state, fills=fills), event.positions)
    return state if is_known else _opened(_based(state, event), event.opened)


def _based(state: PortfolioState, event: ev.CheckpointEvent) -> PortfolioState:
    """Return `state` with ledgers that begin at the cost a checkpoint states.

    Its executions alone do not tell what was paid for something that they have ended.
    """
    books = {
        base.contract.con_id: Book.on(
            base, (fill for fill in event.fills if fill.contract.con_id == base.contract.con_id)
        )
        for base in event.bases
    }
    return with_books(state, {**state.books, **books})


def _opened(state: PortfolioState, opened: Mapping[int, Decimal]) -> PortfolioState:
    """Return `state` with what is known to be ours of what its ledgers begin with."""
    books = {
        con_id: _replace(state.books[con_id], opened=ours)
        for con_id, ours in opened.items()
        if con_id in state.books
    }
    return _replace(state, books={**state.books, **books})


def anchored(state: PortfolioState, held: Iterable[Position]) -> PortfolioState:
    """Return `state` with every ledger ending at what is `held`, after all known fills.

    A contract that is absent from `held` is flat. A ledger that agrees stays as it is: it
    knows the cost without commissions, and the profit so far.
    """
    stated = {position.contract.con_id: position for position in held}
    fills: dict[int, list[Fill]] = {}
    for fill in state.fills.values():
        fills.setdefault(fill.contract.con_id, []).append(fill)
    books: dict[int, Book] = {}
    for con_id in (*state.books, *fills, *stated):
        if con_id in books:
            continue
        position = stated.get(con_id) or _flat(state, con_id, fills.get(con_id, []))
        book = state.books.get(con_id)
        if not state.has_synced or book is None or book.position.quantity != position.quantity:
            book = Book.of(position, fills.get(con_id, ()), instead=book)
        books[con_id] = book
    return _replace(with_books(state, books), has_synced=True)


def with_books(state: PortfolioState, books: Mapping[int, Book]) -> PortfolioState:
    """Return `state` with these ledgers, and the positions that they end at."""
    positions = {
        con_id: _replace(book.position, market_price=state.marks.get(con_id))
        for con_id, book in books.items()
        if book.position.quantity
    }
    return _replace(state, books=books, positions=positions)


def with_drift(state: PortfolioState, found: ev.DriftEvent) -> PortfolioState:
    """Return `state` with one more disagreement, or with what has become of a known one."""
    if state.drift.get(found.subject) == found:
        return state
    return _replace(state, drift={**state.drift, found.subject: found})


def without_drift(state: PortfolioState, subject: str) -> PortfolioState:
    """Return `state` without a disagreement that is settled."""
    if subject not in state.drift:
        return state
    drift = {name: event for name, event in state.drift.items() if name != subject}
    return _replace(state, drift=drift)


def synchronized(state: PortfolioState, event: ev.SyncEvent) -> PortfolioState:
    """Return `state` once the broker has told everything: its word now holds."""
    state = anchored(state, event.positions)
    return _replace(
        state,
        reported={p.contract.con_id: p.quantity for p in event.positions},
        drift={},
        synced_at=event.at,
    )


def is_news(state: PortfolioState, fill: Fill) -> bool:
    """Whether an execution is unknown, or corrects what is known of it."""
    known = state.fills.get(fill.fill_id)
    return known is None or fill.revision > known.revision


def quantity_of(state: PortfolioState, con_id: int) -> Decimal:
    """Return the signed quantity that the ledger holds of a contract."""
    book = state.books.get(con_id)
    return book.position.quantity if book is not None else ZERO


def stated_apart(state: PortfolioState, contract: Contract) -> Decimal | None:
    """Return what the broker says is held of a contract, signed; None where our books agree."""
    if subject_of(contract) not in state.drift:
        return None
    return state.reported.get(contract.con_id, ZERO)


def subject_of(contract: Contract) -> str:
    """Return how drift names a contract's position."""
    return f"position {contract.local_symbol or contract.symbol}"


def _flat(state: PortfolioState, con_id: int, fills: list[Fill]) -> Position:
    book = state.books.get(con_id)
    if book is not None:
        account, contract = book.position.account, book.position.contract
    else:
        account, contract = fills[0].account, fills[0].contract
    return Book.open(account, contract).base


def _with(state: PortfolioState, con_id: int, position: Position) -> Mapping[int, Position]:
    if not position.quantity:
        return {key: held for key, held in state.positions.items() if key != con_id}
    shown = _replace(position, market_price=state.marks.get(con_id))
    return {**state.positions, con_id: shown}
