"""The exits of a bracket follow a scale-in; a trail, a short and a timed exit do so, too."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import OrderId
from tests.orders.bracket_play import (
    AFTER_GRACE,
    AFTER_PATIENCE,
    ENTRY,
    STOP,
    STOP2,
    TARGET,
    TARGET2,
    Play,
    bought,
    cancel,
    cancelled,
    closing,
    rejected,
    several,
    size,
    sold,
    wish,
)
from tests.orders.samples import (
    AT,
    GROUP,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    working,
    written,
)

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderSpec

ENTRY2 = OrderId("memo-1-entry.2")


def added(quantity: int) -> OrderSpec:
    """Return the entry of a scale-in."""
    entry = bracket_specs()[0]
    return msgspec.structs.replace(entry, order_id=ENTRY2, quantity=Decimal(quantity))


def scaled(quantity: int, key: str = "s1", at: float = 0) -> ev.FillEvent:
    return filled(fill(quantity, "152", key=key, order_id=ENTRY2), at=later(at))


def part_bought(quantity: int) -> ev.FillEvent:
    return filled(fill(quantity, key="late", order_id=ENTRY), at=later(2))


def joined(play: Play, quantity: int = 10) -> list[Command]:
    """Let an entry more join the group."""
    spec = added(quantity)
    return play.hear(written(spec, kind="bracket"), accepted(spec))


def test_exits_grow_after_each_fill_and_never_before() -> None:
    play = Play()
    play.hear(bought())
    assert joined(play) == []
    assert play.tick(AFTER_GRACE) == []
    asked = play.hear(scaled(4))
    assert asked == [size(TARGET, 14), size(STOP, 14)]
    assert play.resize(*asked) == []
    asked = play.hear(scaled(6, "s2"))
    assert asked == [size(TARGET, 20), size(STOP, 20)]
    play.resize(*asked)
    assert play.sizes() == {"target": 20, "stop": 20}
    stop = play.group.orders[STOP].spec
    assert stop.stop_price == 145  # the first entry's geometry stays


def test_growth_that_a_lost_link_took_along_is_asked_for_again_at_once() -> None:
    """What the broker states on the next link is the answer: there is nothing to wait for."""
    play = Play()
    play.hear(bought())
    joined(play)
    asked = play.hear(scaled(4))
    play.hear(ev.DisconnectEvent(at=later(0.1), epoch=1, reason="the link is cut"))
    assert play.tick(1) == asked == [size(TARGET, 14), size(STOP, 14)]
    assert play.tick(2) == []


def test_the_split_stays_as_it_was() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought())
    joined(play)
    assert play.hear(scaled(10)) == [
        size(TARGET, 12), size(STOP, 12), size(TARGET2, 8), size(STOP2, 8),
    ]  # fmt: skip


def test_a_target_that_fills_leaves_a_scale_in_to_the_others() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought())
    joined(play)
    assert play.hear(sold(6, TARGET)) == [cancel(STOP, 0)]


def test_one_stop_that_fills_takes_the_scale_in_back() -> None:
    """The others are at the same price: they go next."""
    play = several(("155", 6), ("160", 4))
    play.hear(bought())
    joined(play)
    assert play.hear(sold(6, STOP)) == [cancel(ENTRY2, 1), cancel(TARGET, 0)]


def test_what_is_added_after_a_target_is_for_the_others() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought(), sold(6, TARGET), cancelled(STOP))
    joined(play)
    assert play.hear(scaled(10)) == [size(TARGET2, 14), size(STOP2, 14)]


def test_a_stop_that_triggers_takes_the_scale_in_back() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    asked = play.hear(sold(10, STOP))
    assert asked == [
        cancel(ENTRY2, 1),
        cancel(TARGET),
    ]


def test_what_a_scale_in_adds_after_the_stop_is_closed() -> None:
    """It fills while the stop does: nothing is left that could protect it."""
    play = Play()
    play.hear(bought())
    joined(play)
    play.hear(scaled(5), sold(10, STOP), cancelled(TARGET), cancelled(ENTRY2))
    close = closing(play.tick(AFTER_GRACE))
    assert (close.side, close.quantity) == (Side.SELL, Decimal(5))


def test_a_stop_that_traded_in_part_counts_what_it_has_left() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    play.hear(sold(4, STOP))
    play.resize(size(TARGET, 6))
    assert play.hear(scaled(10)) == [size(TARGET, 16), size(STOP, 20)]


def test_a_size_that_somebody_has_chosen_is_left_alone() -> None:
    play = Play()
    play.hear(bought())
    small = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(5))
    play.hear(ev.ModifyEvent(at=AT, order_id=STOP, spec=small, origin="cli"), accepted(small))
    joined(play)
    assert play.hear(scaled(10)) == [size(TARGET, 20)]
    assert play.tick(AFTER_GRACE) == []
    assert play.hear(sold(20, TARGET)) == [cancel(STOP)]


def test_a_price_that_somebody_has_chosen_is_kept() -> None:
    """In TWS, or here: only the size is the group's business."""
    play = Play()
    play.hear(bought())
    moved = msgspec.structs.replace(bracket_specs()[2], stop_price=Decimal(148))
    play.hear(ev.ModifyEvent(at=AT, order_id=STOP, spec=moved, origin="cli"), accepted(moved))
    joined(play)
    (_, stop) = play.hear(scaled(10))
    assert stop == size(STOP, 20)  # and nothing else


def growing(play: Play, then: int) -> tuple[ev.ModifyEvent, ev.ModifyEvent]:
    """Return how a stop is on its way from ten to twenty, and somebody changes it to `then`."""
    play.hear(bought())
    joined(play)
    play.hear(scaled(10))
    stop = bracket_specs()[2]
    grown = msgspec.structs.replace(stop, quantity=Decimal(20))
    own = msgspec.structs.replace(stop, quantity=Decimal(then), stop_price=Decimal(148))
    return (
        ev.ModifyEvent(at=AT, order_id=STOP, spec=grown, origin="bracket"),
        ev.ModifyEvent(at=AT, order_id=STOP, spec=own, origin="library"),
    )


def test_a_price_that_is_moved_while_the_exits_grow_is_no_size_of_somebody() -> None:
    """It carries the size that is under way; the link takes both along."""
    play = Play()
    asked = play.hear(
        *growing(play, 20),
        ev.DisconnectEvent(at=AT, epoch=1, reason="the link is cut"),
        accepted(bracket_specs()[2], at=later(1), from_snapshot=True),
    )
    assert size(STOP, 20) in asked
    assert not play.group.fixed


def test_who_asks_for_the_old_size_while_the_exits_grow_is_not_overruled() -> None:
    """A price that is moved carries the new size: the old one was asked for."""
    play = Play()
    play.hear(*growing(play, 10), accepted(bracket_specs()[2], at=later(1)))
    assert play.group.fixed == {STOP}
    assert play.tick(AFTER_PATIENCE) == [size(TARGET, 20)]
    assert play.sizes()["stop"] == 10


def test_an_exit_that_is_leaving_is_not_enlarged() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    play.hear(wish(TARGET))
    assert play.hear(scaled(10)) == [size(STOP, 20)]


def test_an_exit_that_did_not_go_is_sized_again() -> None:
    """Its cancel was refused, and what it is for has come after all."""
    play = Play()
    play.hear(cancelled(ENTRY))
    assert play.tick(AFTER_GRACE) == [cancel(TARGET), cancel(STOP)]
    assert play.hear(part_bought(6)) == []  # they are leaving
    for one in (TARGET, STOP):
        asked = play.hear(
            ev.CancelRequestEvent(at=later(3), order_id=one, origin="bracket"),
            ev.CancelRejectEvent(at=later(3), order_id=one, code=161, reason="cannot"),
            working(one, at=later(4)),
        )
        assert asked == [size(one, 6)]


def test_a_growth_that_was_refused_is_asked_for_again() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    asked = play.hear(scaled(10))
    for change in asked:
        assert isinstance(change, ModifyOrder)
        assert change.quantity
        spec = msgspec.structs.replace(
            play.group.orders[change.order_id].spec, quantity=change.quantity
        )
        play.hear(
            ev.ModifyEvent(at=AT, order_id=change.order_id, spec=spec, origin="bracket"),
            ev.ModifyRejectEvent(at=AT, order_id=change.order_id, code=201, reason="no margin"),
        )
    assert play.tick(6) == asked


def test_what_never_left_is_asked_for_at_once() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    asked = play.hear(scaled(10))
    for command in asked:
        play.group = play.group.unsent(command)
    assert play.tick(0.1) == asked


def test_a_scale_in_into_a_bracket_that_lost_its_stop_is_taken_back() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    assert cancel(ENTRY2, 1) in play.hear(rejected(STOP))


def test_a_stop_put_back_later_protects_all_of_it() -> None:
    play = Play()
    play.hear(bought())
    joined(play)
    play.resize(*play.hear(scaled(10)))
    play.hear(rejected(STOP))
    (command,) = play.hear(cancelled(TARGET))
    assert isinstance(command, SubmitOrders)
    assert [one.quantity for one in command.orders] == [Decimal(20), Decimal(20)]


# -- a trail as the stop ---------------------------------------------------------------------


def trailing() -> Play:
    entry, target, stop = bracket_specs()
    trail = msgspec.structs.replace(
        stop, order_type=OrderType.TRAIL, stop_price=None, trail_percent=Decimal(2)
    )
    return Play((entry, target, trail))


def test_a_trail_that_is_put_back_begins_where_it_was() -> None:
    """Never wider: the new one starts at the price that the old one had reached."""
    play = trailing()
    play.hear(bought())
    risen = msgspec.structs.replace(play.group.orders[STOP].spec, stop_price=Decimal("148.20"))
    play.hear(accepted(risen), cancelled(STOP))
    play.tick(AFTER_GRACE)
    (command,) = play.hear(cancelled(TARGET))
    assert isinstance(command, SubmitOrders)
    stop = command.orders[0]
    assert (stop.order_type, stop.trail_percent) == (OrderType.TRAIL, Decimal(2))
    assert stop.stop_price == Decimal("148.20")


# -- a short, and a timed exit ---------------------------------------------------------------


def test_a_short_is_the_same_in_the_mirror() -> None:
    turned = tuple(
        msgspec.structs.replace(spec, side=spec.side.opposite) for spec in bracket_specs()
    )
    play = Play(turned)
    play.hear(filled(fill(10, key="b", order_id=ENTRY, side=Side.SELL)))
    spec = msgspec.structs.replace(added(5), side=Side.SELL)
    play.hear(written(spec, kind="bracket"), accepted(spec))
    more = filled(fill(5, "148", key="s", order_id=ENTRY2, side=Side.SELL))
    assert play.hear(more) == [size(TARGET, 15), size(STOP, 15)]
    play.resize(size(TARGET, 15), size(STOP, 15))
    out = filled(fill(15, "155", key="x", order_id=STOP))
    assert play.hear(out) == [cancel(TARGET)]
    play.hear(cancelled(TARGET))
    assert play.group.is_closed


@pytest.mark.parametrize("quantity", [4, 10])
def test_a_timed_exit_is_one_of_the_leg(quantity: int) -> None:
    play = Play()
    play.hear(bought())
    timed = msgspec.structs.replace(
        bracket_specs()[1],
        order_id=make_order_id(GROUP, OrderRole.TIMED),
        role=OrderRole.TIMED,
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.DAY,
    )
    play.hear(written(timed, kind="bracket"), accepted(timed))
    assert play.tick(AFTER_GRACE) == []
    asked = play.hear(sold(quantity, timed.order_id))
    if quantity == 10:
        assert asked == [cancel(TARGET), cancel(STOP)]
    else:
        assert play.tick(AFTER_GRACE) == [size(TARGET, 6), size(STOP, 6)]
