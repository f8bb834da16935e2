"""What an order is called filled for counts until an execution, or all positions, tell of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AT, accepted, fill, filled, later, spec
from tests.portfolio.stage import ID, held, sent

SYNC = ev.SyncEvent(at=later(9), epoch=1, positions=(held(4),))


def done(quantity: int = 10) -> ev.DoneEvent:
    return ev.DoneEvent(at=later(2), order_id=ID, filled=Decimal(quantity))


def partly(quantity: int) -> ev.StatusEvent:
    return ev.StatusEvent(at=later(2), order_id=ID, is_working=True, filled=Decimal(quantity))


def after(*events: ev.BaseEvent) -> PortfolioState:
    return fold(events, sent(spec()))


def unheard(state: PortfolioState) -> dict[str, Decimal]:
    """Return what is still to be heard, and check that it is of the orders as they stand."""
    assert all(state.order(key) is order for key, order in state.unheard.items())
    return {key: order.unheard for key, order in state.unheard.items()}


@pytest.mark.parametrize(
    ("events", "missing"),
    [
        ([done()], 10),
        ([accepted(spec()), partly(4)], 4),
        ([filled(fill(3)), done()], 7),
        ([done(), filled(fill(3))], 7),
    ],
)
def test_it_is_what_is_claimed_beyond_all_executions(
    events: list[ev.BaseEvent], missing: int
) -> None:
    assert unheard(after(*events)) == {ID: missing}


@pytest.mark.parametrize("events", [[done(), filled(fill(10))], [filled(fill(10)), done()]])
def test_executions_tell_of_it_whichever_comes_first(events: list[ev.BaseEvent]) -> None:
    assert unheard(after(*events)) == {}


def test_an_execution_that_is_corrected_was_heard_of_all_the_same() -> None:
    less = fill(6, revision=2)
    assert unheard(after(filled(fill(10)), done(), filled(less, replaces=fill(10)))) == {}


def test_a_statement_of_all_positions_has_it_and_the_same_words_later_are_no_news() -> None:
    told = after(accepted(spec()), partly(4), SYNC)
    assert unheard(told) == {}
    assert unheard(fold([partly(4)], told)) == {}
    assert unheard(fold([partly(6)], told)) == {ID: 2}


def test_what_was_claimed_while_the_broker_was_asked_may_be_missing_in_the_statement() -> None:
    crossing = ev.SyncEvent(at=later(9), epoch=1, claimed=(ID,))
    assert unheard(after(done(), crossing)) == {ID: 10}
    assert unheard(after(done(), crossing, SYNC)) == {}


def test_a_statement_of_all_positions_brings_no_order_back_that_nobody_knows() -> None:
    state = after(accepted(spec()), partly(4))
    state = msgspec.structs.replace(state, orders={})
    told = state.apply(SYNC)
    assert (dict(told.orders), dict(told.unheard)) == ({}, {})


def test_with_the_day_it_is_forgotten() -> None:
    state = after(done())
    assert unheard(state.begin_day(AT)) == {ID: 10}
    assert unheard(state.begin_day(AT + timedelta(days=1))) == {}
