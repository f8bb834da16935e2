"""What a bracket does when the broker does not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.orders.asking import TRIES
from tests.orders.bracket_play import (
    AFTER_GRACE,
    AFTER_PATIENCE,
    ENTRY,
    STOP,
    STOP2,
    TARGET,
    TARGET2,
    Play,
    again,
    beside,
    bought,
    cancel,
    cancelled,
    closing,
    not_sent,
    rejected,
    replacement,
    sold,
    wish,
)
from tests.orders.samples import (
    AT,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    values,
    working,
    written,
)

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderId

# -- the sibling of an exit that has traded --------------------------------------------------


def test_a_filled_exit_ends_its_sibling() -> None:
    play = Play()
    play.hear(bought())
    assert play.hear(sold(10)) == [cancel(STOP)]


def test_a_partly_filled_exit_cuts_its_sibling_once_the_broker_has_had_its_say() -> None:
    play = Play()
    play.hear(bought())
    assert play.hear(sold(4)) == []
    assert play.tick(AFTER_GRACE) == [
        ModifyOrder(order_id=STOP, quantity=Decimal(6), origin="bracket")
    ]


def test_a_sibling_that_the_broker_has_cut_is_left_alone() -> None:
    play = Play()
    play.hear(bought(), sold(4))
    stop = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(6))
    assert play.hear(accepted(stop)) == []
    assert play.tick(AFTER_GRACE) == []


def test_a_change_under_way_is_not_asked_for_twice() -> None:
    play = Play()
    play.hear(bought(), sold(4))
    assert len(play.tick(AFTER_GRACE)) == 1
    smaller = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(6))
    change = ev.ModifyEvent(at=later(AFTER_GRACE), order_id=STOP, spec=smaller)
    assert play.hear(change) == []
    assert play.tick(AFTER_PATIENCE * 2) == []


def test_both_exits_may_trade_and_the_surplus_is_closed_once() -> None:
    """Only once it has been so for a while: executions come in any order."""
    play = Play()
    play.hear(bought(), sold(10))
    assert play.hear(sold(10, STOP)) == []
    assert play.said == []
    assert play.group.held == -10
    assert not play.group.is_closed
    close = closing(play.tick(AFTER_GRACE))
    assert values(close.side, close.quantity, close.order_type) == (Side.BUY, 10, OrderType.MARKET)
    (word,) = play.said
    assert word.is_serious
    assert "10 too many; closing them at the market" in word.message
    back = fill(10, "150", key="c", order_id=close.order_id)
    assert play.hear(written(close, kind="bracket"), accepted(close), filled(back)) == []
    assert play.group.held == 0
    assert play.group.is_closed


def test_a_surplus_that_cannot_be_closed_is_left_to_a_person() -> None:
    play = Play()
    play.hear(bought(), sold(10), sold(10, STOP))
    close = closing(play.tick(AFTER_GRACE))
    play.hear(written(close, kind="bracket"), rejected(close.order_id))
    assert play.group.is_closed
    assert play.tick(AFTER_GRACE) == []
    assert "closing them failed: no margin; close it by hand" in play.said[0].message


def test_a_close_that_was_never_sent_is_tried_again() -> None:
    play = Play()
    play.hear(bought(), sold(10), sold(10, STOP))
    unsent: list[OrderId] = []
    asked = play.tick(AFTER_GRACE)
    while asked:
        close = closing(asked)
        unsent.append(close.order_id)
        play.hear(written(close, kind="bracket"), not_sent(close.order_id))
        asked = play.tick(AFTER_GRACE)
    assert unsent == ["memo-1-close", "memo-1-close.2", "memo-1-close.3"]
    assert play.group.is_closed


def test_an_exit_that_trades_gives_up_the_rest_of_the_entry() -> None:
    """Stopped out while the entry still works: what it would buy has no protection."""
    play = Play()
    play.hear(bought(4))
    small = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(4))
    play.hear(accepted(small))
    assert play.hear(sold(4, STOP)) == [cancel(ENTRY), cancel(TARGET)]


def test_a_target_that_takes_all_there_is_gives_up_the_rest_of_the_entry() -> None:
    play = Play()
    small = msgspec.structs.replace(bracket_specs()[1], quantity=Decimal(4))
    play.hear(bought(4), accepted(small))
    assert cancel(ENTRY) in play.hear(sold(4, TARGET))


def test_what_the_entry_adds_after_the_exits_is_closed() -> None:
    play = Play()
    small = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(4))
    play.hear(bought(4), accepted(small), sold(4, STOP), cancelled(TARGET))
    late = filled(fill(3, key="late", order_id=ENTRY))
    assert play.hear(late, cancelled(ENTRY)) == []
    close = closing(play.tick(AFTER_GRACE))
    assert values(close.side, close.quantity) == (Side.SELL, 3)
    assert "3 AAPL came in after the exits had traded" in play.said[0].message
    assert not play.group.is_closed
    done = fill(3, "144", key="c", order_id=close.order_id, side=Side.SELL)
    play.hear(written(close, kind="bracket"), filled(done))
    assert play.group.is_closed


# -- exits that are missing ------------------------------------------------------------------


def test_a_refused_stop_gives_up_the_entry() -> None:
    play = Play()
    assert play.hear(rejected(STOP)) == [cancel(ENTRY)]
    assert play.hear(cancelled(ENTRY)) == []  # the broker takes its exits with it
    assert play.tick(AFTER_GRACE) == [cancel(TARGET)]
    assert play.hear(cancelled(TARGET)) == []
    assert play.group.is_closed


def test_a_stop_that_the_broker_takes_back_gives_up_the_entry() -> None:
    assert Play().hear(wish(STOP, "broker"), cancelled(STOP)) == [cancel(ENTRY)]


def test_a_refused_target_gives_up_an_entry_that_has_not_traded() -> None:
    assert Play().hear(rejected(TARGET)) == [cancel(ENTRY)]
    play = Play()
    play.hear(bought(4))
    assert play.hear(rejected(TARGET)) == []


def test_a_stop_taken_back_on_purpose_is_not_put_back() -> None:
    play = Play()
    play.hear(bought())
    assert play.hear(wish(STOP), cancelled(STOP)) == []
    (word,) = play.said
    assert word.is_serious
    assert "on request" in word.message
    assert play.tick(AFTER_PATIENCE) == []
    assert play.hear(cancelled(TARGET)) == []
    assert play.group.is_closed


def test_an_entry_whose_stop_was_taken_back_on_purpose_works_on() -> None:
    assert Play().hear(wish(STOP), cancelled(STOP)) == []


def test_a_stop_taken_back_to_close_is_nobodys_worry() -> None:
    play = Play()
    play.hear(bought())
    assert play.hear(wish(STOP, "close"), cancelled(STOP)) == []
    assert play.said == []


def test_a_refused_stop_is_replaced_once() -> None:
    """Loudly; alone, because beside a live target it could trade twice."""
    play = Play()
    play.hear(bought())
    assert play.hear(rejected(STOP)) == [cancel(TARGET)]
    (word,) = play.said
    assert word.is_serious
    assert word.message == ("10 AAPL are held without a stop: no margin; a new one is being placed")
    asked = play.hear(cancelled(TARGET))
    new = replacement(asked)
    assert new.order_id == STOP2
    assert new.quantity == 10
    assert new.stop_price == 145
    assert (new.parent_id, new.broker_order_id) == (None, 0)
    assert not play.group.is_closed
    target = beside(asked)
    assert values(target.order_id, target.quantity, target.limit_price) == (TARGET2, 10, 155)
    assert (new.oca_group, new.oca_type) == (target.oca_group, OcaType.REDUCE)
    assert play.hear(*(written(one, kind="bracket") for one in (new, target))) == []
    assert play.hear(accepted(target), accepted(new)) == []
    assert play.group.parts()[0].live == (play.group.orders[STOP2], play.group.orders[TARGET2])


def test_a_replacement_that_is_refused_too_closes_the_position() -> None:
    """One stop more was tried: then the position goes, at the market."""
    play = Play()
    play.hear(bought(), rejected(STOP))
    asked = play.hear(cancelled(TARGET))
    new, target = replacement(asked), beside(asked)
    play.hear(*(written(one, kind="bracket") for one in (new, target)), accepted(target))
    assert play.hear(rejected(STOP2)) == [cancel(TARGET2, 0)]
    (word,) = play.said
    assert word.is_serious
    assert "the new one failed too: no margin; closing at the market" in word.message
    close = closing(play.hear(cancelled(TARGET2)))
    assert values(close.side, close.quantity) == (Side.SELL, 10)
    assert play.hear(written(close, kind="bracket")) == []
    assert play.hear(rejected(close.order_id)) == []
    assert "close it" in play.said[0].message
    assert play.group.is_closed


def test_a_replacement_that_we_deny_closes_the_position_too() -> None:
    play = Play()
    play.hear(bought(), rejected(STOP), cancelled(TARGET))
    denied = [
        ev.DenyEvent(at=AT, order_id=one, breaches=(), spec=again(one)) for one in (STOP2, TARGET2)
    ]
    assert closing(play.hear(*denied)).quantity == 10


def test_a_replacement_that_was_never_sent_is_tried_again() -> None:
    """Nobody has refused it: the link was down."""
    play = Play()
    asked = play.hear(bought(), rejected(STOP), cancelled(TARGET))[1:]
    stops: list[OrderId] = []
    while asked:
        (new,) = (one for one in asked if isinstance(one, SubmitOrders))
        stops.append(new.orders[0].order_id)
        news = [written(one, kind="bracket") for one in new.orders]
        asked = play.hear(*news, *(not_sent(one.order_id) for one in new.orders))
    assert stops == ["memo-1-stop.2", "memo-1-stop.3", "memo-1-stop.4"]
    assert play.group.is_closed
    assert "close it" in play.said[-1].message


def test_a_replacement_that_is_cancelled_too_is_meant() -> None:
    """Twice taken back at the broker: by hand, it seems. It is said, and left so."""
    play = Play()
    play.hear(bought(), cancelled(STOP))
    new = replacement(play.hear(cancelled(TARGET)))
    play.hear(*(written(again(one), kind="bracket") for one in (STOP2, TARGET2)))
    assert new.order_id == STOP2
    play.hear(cancelled(STOP2), cancelled(TARGET2))
    assert play.tick(AFTER_GRACE) == []
    assert play.group.is_closed


def test_a_target_taken_back_on_purpose_does_not_come_back_with_the_stop() -> None:
    play = Play()
    play.hear(bought(), wish(TARGET), cancelled(TARGET))
    (command,) = play.hear(rejected(STOP))
    assert isinstance(command, SubmitOrders)
    (stop,) = command.orders
    assert (stop.role, stop.oca_group, stop.oca_type) == (OrderRole.STOP, "", None)


def test_a_replacement_that_fills_ends_the_bracket() -> None:
    play = Play()
    play.hear(bought(), rejected(STOP))
    asked = play.hear(cancelled(TARGET))
    new, target = replacement(asked), beside(asked)
    play.hear(*(written(one, kind="bracket") for one in (new, target)))
    assert play.hear(sold(10, STOP2)) == [cancel(TARGET2, 0)]
    assert play.hear(cancelled(TARGET2)) == []
    assert play.group.is_closed


def test_a_stop_that_vanishes_is_replaced_after_a_grace() -> None:
    """The broker cancels a stop because the target has traded, and may say so first."""
    play = Play()
    play.hear(bought())
    assert play.hear(cancelled(STOP)) == []
    assert play.said == []
    assert play.tick(AFTER_GRACE) == [cancel(TARGET)]
    assert "without a stop: 202" in play.said[0].message


def test_a_stop_that_goes_because_the_target_traded_is_not_replaced() -> None:
    play = Play()
    play.hear(bought(), cancelled(STOP))
    assert play.hear(sold(10)) == []
    assert play.group.since == {}
    assert play.group.is_closed


def test_a_lost_stop_of_a_half_filled_entry_gives_up_the_rest_first() -> None:
    play = Play()
    play.hear(bought(4))
    assert play.hear(rejected(STOP)) == [cancel(ENTRY), cancel(TARGET)]
    assert play.hear(cancelled(ENTRY)) == []
    assert replacement(play.hear(cancelled(TARGET))).quantity == 4


# -- evidence --------------------------------------------------------------------------------


def test_the_brokers_filled_protects_until_the_executions_come() -> None:
    play = Play()
    assert play.hear(ev.DoneEvent(at=AT, order_id=ENTRY, filled=Decimal(10))) == []
    assert play.group.held == 10
    assert play.hear(bought()) == []
    assert play.group.held == 10


def test_orders_that_share_a_fate_are_left_to_recovery() -> None:
    play = Play(is_accepted=False)
    assert play.hear(ev.NotSentEvent(at=AT, order_id=ENTRY, reason="the link was down")) == []
    assert play.hear(accepted(bracket_specs()[2])) == [cancel(STOP)]


def test_what_goes_unheard_is_asked_again_and_then_told() -> None:
    play = Play()
    play.hear(rejected(ENTRY), cancelled(TARGET))
    assert play.hear(working(STOP)) == []
    for round_number in range(1, TRIES):
        assert play.tick(AFTER_PATIENCE * round_number) == [cancel(STOP)]
    assert play.tick(AFTER_PATIENCE * TRIES) == []
    (word,) = play.said
    assert word.is_serious
    assert "cancel memo-1-stop" in word.message
    assert play.tick(AFTER_PATIENCE * (TRIES + 1)) == []
    assert play.said == []


def test_a_cancel_under_way_is_not_asked_for_again() -> None:
    play = Play()
    play.hear(rejected(ENTRY))
    play.hear(wish(STOP, "bracket"), cancelled(TARGET))
    assert play.tick(AFTER_PATIENCE) == []
    assert play.hear(cancelled(STOP)) == []
    assert play.group.is_closed


def test_asking_three_times_and_being_heard_is_no_news() -> None:
    play = Play()
    play.hear(rejected(ENTRY), cancelled(TARGET))
    for round_number in range(1, TRIES):
        play.tick(AFTER_PATIENCE * round_number)
    assert play.hear(cancelled(STOP, later(AFTER_PATIENCE * TRIES))) == []
    assert play.said == []


def test_a_failed_entry_is_told() -> None:
    play = Play()
    play.hear(rejected(ENTRY))
    assert [(word.message, word.is_serious) for word in play.said] == [
        ("the entry of AAPL is REJECTED: no margin", False)
    ]
    play = Play()
    play.hear(ev.ExpireEvent(at=AT, order_id=ENTRY))
    assert [word.message for word in play.said] == ["the entry of AAPL is EXPIRED"]


def test_a_stop_that_just_expires_is_named_by_its_state() -> None:
    play = Play()
    play.hear(bought(), ev.ExpireEvent(at=AT, order_id=STOP))
    play.tick(AFTER_GRACE)
    assert "it is EXPIRED" in play.said[0].message
    assert play.group.orders[STOP].status is OrderStatus.EXPIRED
