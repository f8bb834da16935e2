from __future__ import annotations

from datetime import timedelta

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import OrderId
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.orders.wishes import BROKER
from ibkr_trader.portfolio.message_count import after, current
from tests.orders.samples import AT, accepted, bracket_specs, fill, filled, spec, written

MIDNIGHT = AT - timedelta(hours=10)
ORDER = OrderId("memo-1-single")
NONE = Traffic(since=MIDNIGHT)


def counted(*events: ev.BaseEvent, is_first: bool = True) -> tuple[int, int, int, int]:
    found = NONE
    for event in events:
        found = after(found, event, day_start=MIDNIGHT, is_first=is_first)
    return found.orders, found.changes, found.cancels, found.executions


def cancel(origin: str) -> ev.CancelRequestEvent:
    return ev.CancelRequestEvent(at=AT, order_id=ORDER, origin=origin)


def test_what_goes_out_counts_and_a_bracket_is_three() -> None:
    assert counted(*map(written, bracket_specs())) == (3, 0, 0, 0)
    assert counted(ev.ModifyEvent(at=AT, order_id=ORDER, spec=spec())) == (0, 1, 0, 0)
    assert counted(cancel("cli"), cancel("recovery")) == (0, 0, 2, 0)


def test_what_the_broker_does_costs_nothing() -> None:
    assert counted(cancel(BROKER), cancel(""), accepted(spec())) == (0, 0, 0, 0)


def test_an_order_that_trades_counts_once_and_a_correction_never() -> None:
    first = fill(5)
    assert counted(filled(first)) == (0, 0, 0, 1)
    assert counted(filled(fill(5, key="e2")), is_first=False) == (0, 0, 0, 0)
    assert counted(filled(fill(4), replaces=first)) == (0, 0, 0, 0)


def test_a_new_day_begins_at_nothing() -> None:
    busy = Traffic(since=MIDNIGHT, orders=100)
    tomorrow = MIDNIGHT + timedelta(days=1)
    assert after(busy, written(spec()), day_start=tomorrow) == Traffic(since=tomorrow, orders=1)
    assert current(busy, tomorrow) == Traffic(since=tomorrow)
    assert current(busy, MIDNIGHT) is busy
    late = MIDNIGHT - timedelta(days=1)  # news of the day before, which comes now
    assert after(busy, written(spec()), day_start=late).orders == 101
