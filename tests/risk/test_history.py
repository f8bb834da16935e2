from __future__ import annotations

from datetime import timedelta

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.events import CheckpointEvent, NewOrderEvent
from ibkr_trader.core.models import OrderSpec
from ibkr_trader.risk.history import History
from tests.risk.world import NOW, bracket, limit, spec


def sent(history: History, order: OrderSpec, seconds: float = 0) -> History:
    at = NOW + timedelta(seconds=seconds)
    return history.after(NewOrderEvent(at=at, order_id=order.order_id, spec=order))


def test_a_bracket_is_one_opening() -> None:
    history = History()
    for order in bracket().orders:
        history = sent(history, order)
    assert history.openings == (NOW,)
    assert [one.spec.order_id for one in history.submissions] == ["t-1-entry"]


def test_a_pair_of_entries_is_one_opening_and_two_orders() -> None:
    history = sent(History(), limit("BUY", 1, "145", "t-1-a"))
    history = sent(history, limit("SELL", 1, "155", "t-1-b"))
    assert len(history.openings) == 1
    assert len(history.submissions) == 2


def test_closes_are_not_counted() -> None:
    assert sent(History(), spec("SELL", 1, role=OrderRole.CLOSE)) == History()


def test_old_news_falls_off() -> None:
    history = sent(History(), spec(order_id="t-1-single"))
    history = sent(history, spec(order_id="t-2-single"), 599)
    assert len(history.submissions) == 2
    history = sent(history, spec(order_id="t-3-single"), 601)
    assert len(history.submissions) == 2
    assert len(history.openings) == 3
    history = sent(history, spec(order_id="t-4-single"), 86_400 + 300)
    assert len(history.openings) == 3
    assert len(history.submissions) == 1


def test_a_clock_set_back_leaves_the_future_behind() -> None:
    history = sent(History(), spec(order_id="t-1-single"), 3600)
    assert list(history.openings_within(timedelta(days=1), NOW)) == []
    assert history.submissions_until(NOW) == ()
    history = sent(history, spec(order_id="t-2-single"))
    assert history.openings == (NOW,)
    assert len(history.submissions) == 1


def test_within_a_window() -> None:
    history = History()
    for n in range(4):
        history = sent(history, spec(order_id=f"t-{n}-single"), n)
    now = NOW + timedelta(seconds=3)
    assert len(history.openings_within(timedelta(seconds=2), now)) == 2
    assert len(history.openings_within(timedelta(seconds=2.5), now)) == 3


def test_a_checkpoint_brings_it_back() -> None:
    history = sent(sent(History(), limit("BUY", 1, "145", "t-1-a")), spec(order_id="t-2-single"), 5)
    recent = tuple(
        NewOrderEvent(at=one.at, order_id=one.spec.order_id, spec=one.spec)
        for one in history.submissions
    )
    kept = CheckpointEvent(at=NOW, openings=history.openings, recent=recent)
    assert History.restored(kept) == history
    assert History.restored(CheckpointEvent(at=NOW)) == History()


def test_what_could_only_reduce_is_no_opening() -> None:
    order = spec("SELL", 1)
    event = NewOrderEvent(at=NOW, order_id=order.order_id, spec=order, reduces=True)
    history = History().after(event)
    assert (history.openings, len(history.submissions)) == ((), 1)
    assert len(sent(history, spec("BUY", 1)).openings) == 1
