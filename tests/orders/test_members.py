"""What has traded, by executions and by the broker's word; and what a lost stop comes back as."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.orders import lifecycle
from ibkr_trader.orders.members import as_tight, traded
from tests.orders.samples import AT, fill, filled, order, working

if TYPE_CHECKING:
    from ibkr_trader.core.models import Order

TEN, FOUR = fill(10), fill(4, revision=2)
ID = TEN.order_id
BUSTED = (filled(TEN), working(ID, 10), filled(FOUR, replaces=TEN))
SIX = filled(fill(6, key="e2"))


def after(*news: ev.OrderEvent) -> Decimal:
    """Return what has traded of an order for 20."""
    one = order(quantity=Decimal(20))
    for event in news:
        changed = lifecycle.apply(one, event)
        assert changed is not None
        one = changed
    return traded(one)


@pytest.mark.parametrize(
    ("claimed", "size"),
    [
        pytest.param((), 4, id="nothing is said after it"),
        pytest.param((10,), 4, id="the figure still has what was taken back"),
        pytest.param((4,), 4, id="the figure is without it"),
        pytest.param((16,), 10, id="the figure still has it, and 6 more have traded"),
        # Of a figure that is without it, and of 6 more, the same is said as of the second case:
        # exits for 10 might open the other side, so the executions are waited for.
        pytest.param((4, 10), 4, id="the figure is without it, and 6 more have traded"),
    ],
)
def test_what_was_taken_back_never_sizes_an_exit(claimed: tuple[int, ...], size: int) -> None:
    said = [working(ID, figure) for figure in claimed]
    assert after(*BUSTED, *said) == size
    assert after(*BUSTED, *said, SIX) == 10  # whatever is meant: executions decide


def test_until_executions_come_the_brokers_word_stands() -> None:
    assert after(working(ID, 7)) == 7
    assert after(working(ID, 7), filled(TEN)) == 10


def test_what_a_correction_gives_back_counts_again() -> None:
    again, part = fill(10, revision=3), fill(7, revision=3)
    assert after(*BUSTED, filled(again, replaces=FOUR), working(ID, 16)) == 16
    assert after(*BUSTED, filled(part, replaces=FOUR), working(ID, 10)) == 7


def stop_of(side: Side, at: str, asked: str | None = None, *, ends: bool = False) -> Order:
    """Return a stop, perhaps with a change of its price under way, perhaps gone meanwhile."""
    stop = order(side=side, order_type=OrderType.STOP, limit_price=None, stop_price=Decimal(at))
    news: list[ev.OrderEvent] = []
    if asked is not None:
        wanted = msgspec.structs.replace(stop.spec, stop_price=Decimal(asked))
        news.append(ev.ModifyEvent(at=AT, order_id=stop.order_id, spec=wanted))
    if ends:
        news.append(ev.CancelEvent(at=AT, order_id=stop.order_id))
    for event in news:
        changed = lifecycle.apply(stop, event)
        assert changed is not None
        stop = changed
    return stop


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize(
    ("side", "asked", "price"),
    [
        (Side.SELL, None, "147"),
        (Side.SELL, "148.5", "148.5"),  # it may have been carried out, and it was wanted
        (Side.SELL, "146", "147"),
        (Side.BUY, "146", "146"),
        (Side.BUY, "148.5", "147"),
    ],
)
def test_a_lost_stop_is_put_back_no_wider_than_it_may_have_stood(
    side: Side, asked: str | None, price: str, ends: bool
) -> None:
    assert as_tight(stop_of(side, "147", asked, ends=ends)).stop_price == Decimal(price)


def test_what_has_no_trigger_of_its_own_is_put_back_as_it_was() -> None:
    limit = order()
    assert as_tight(limit) is limit.spec
    asked = msgspec.structs.replace(limit, desired=limit.spec)
    assert as_tight(asked) is limit.spec
    trail = order(
        order_type=OrderType.TRAIL, limit_price=None, trail_amount=Decimal(2), stop_price=None
    )
    moved = msgspec.structs.replace(trail.spec, stop_price=Decimal(148))
    assert as_tight(msgspec.structs.replace(trail, desired=moved)) is trail.spec


def test_what_was_asked_as_it_ended_is_forgotten_once_it_works_again() -> None:
    gone = stop_of(Side.SELL, "147", "148.5", ends=True)
    assert gone.desired is None
    assert gone.unanswered is not None
    back = ev.AcceptEvent(
        at=AT, order_id=gone.order_id, spec=gone.spec, perm_id=gone.perm_id, from_snapshot=True
    )
    again = lifecycle.apply(gone, back)
    assert again is not None
    assert again.unanswered is None
