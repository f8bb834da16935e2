"""What a bracket does when the broker does not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.bracket_orders import Bracket, bracket_of
from ibkr_trader.orders.bracket_policy import GRACE, PATIENCE, TRIES
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
    from datetime import datetime

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderSpec

ENTRY, TARGET, STOP = (OrderId(f"memo-1-{role}") for role in ("entry", "target", "stop"))
STOP2 = OrderId("memo-1-stop.2")
AFTER_GRACE = GRACE.total_seconds() + 0.1
AFTER_PATIENCE = PATIENCE.total_seconds() + 0.1


class Play:
    """A bracket on the stage: events in, commands and words out."""

    def __init__(self, *, is_accepted: bool = True) -> None:
        group = bracket_of(GROUP, bracket_specs(), {})
        assert isinstance(group, Bracket)
        self.group = group
        for one in bracket_specs():
            self.hear(written(one, kind="bracket"))
            if is_accepted:
                self.hear(accepted(one))

    def hear(self, *events: ev.BaseEvent) -> list[Command]:
        """Return what the group asks for after `events`; its words are in `said`."""
        asked: list[Command] = []
        self.said: list[ev.GroupEvent] = []
        for event in events:
            step = self.group.react(event)
            assert isinstance(step.group, Bracket)
            self.group = step.group
            asked += step.commands
            self.said += [word for word in step.events if isinstance(word, ev.GroupEvent)]
        return asked

    def tick(self, seconds: float) -> list[Command]:
        """Let time pass with an event that is about no order."""
        return self.hear(ev.SyncEvent(at=later(seconds), epoch=1))


def bought(quantity: int = 10) -> ev.FillEvent:
    return filled(fill(quantity, key=f"b{quantity}", order_id=ENTRY))


def sold(quantity: int, order_id: OrderId = TARGET, at: datetime = AT) -> ev.FillEvent:
    told = fill(quantity, "155", key=f"s{quantity}{order_id}", order_id=order_id, side=Side.SELL)
    return filled(told, at=at)


def cancelled(order_id: OrderId, at: datetime = AT) -> ev.CancelEvent:
    return ev.CancelEvent(at=at, order_id=order_id, reason="202")


def rejected(order_id: OrderId) -> ev.RejectEvent:
    return ev.RejectEvent(at=AT, order_id=order_id, code=201, reason="no margin")


def cancel(order_id: OrderId) -> CancelOrder:
    number = {ENTRY: 1, TARGET: 2, STOP: 3}[order_id]
    return CancelOrder(order_id=order_id, broker_order_id=number, origin="bracket")


def wish(order_id: OrderId, origin: str = "cli", at: datetime = AT) -> ev.CancelRequestEvent:
    return ev.CancelRequestEvent(at=at, order_id=order_id, origin=origin)


def replacement(asked: list[Command]) -> OrderSpec:
    (command,) = asked
    assert isinstance(command, SubmitOrders)
    assert command.reduces
    (spec,) = command.orders
    return spec


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


def test_both_exits_may_trade_and_then_a_person_is_told() -> None:
    play = Play()
    play.hear(bought(), sold(10))
    assert play.hear(sold(10, STOP)) == []
    assert play.group.held == -10
    (word,) = play.said
    assert word.is_serious
    assert "10 too many" in word.message


def test_an_exit_that_trades_gives_up_the_rest_of_the_entry() -> None:
    """Stopped out while the entry still works: what it would buy has no protection."""
    play = Play()
    play.hear(bought(4))
    small = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(4))
    play.hear(accepted(small))
    assert play.hear(sold(4, STOP)) == [cancel(ENTRY)]


# -- exits that are missing ------------------------------------------------------------------


def test_a_refused_stop_gives_up_the_entry() -> None:
    play = Play()
    assert play.hear(rejected(STOP)) == [cancel(ENTRY)]
    assert play.hear(cancelled(ENTRY)) == [cancel(TARGET)]
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
    new = replacement(play.hear(cancelled(TARGET)))
    assert new.order_id == STOP2
    assert new.quantity == 10
    assert new.stop_price == 145
    assert (new.parent_id, new.oca_group, new.broker_order_id) == (None, "", 0)
    assert not play.group.is_closed
    assert play.hear(written(new, kind="bracket"), accepted(new)) == []
    assert play.hear(rejected(STOP2)) == []
    (word,) = play.said
    assert "the new one failed too" in word.message
    assert play.group.is_closed


def test_a_replacement_that_we_deny_is_not_tried_again() -> None:
    play = Play()
    play.hear(bought(), rejected(STOP))
    new = replacement(play.hear(cancelled(TARGET)))
    assert play.hear(ev.DenyEvent(at=AT, order_id=STOP2, breaches=(), spec=new)) == []
    assert play.group.is_closed
    assert play.said


def test_a_replacement_that_fills_ends_the_bracket() -> None:
    play = Play()
    play.hear(bought(), rejected(STOP))
    new = replacement(play.hear(cancelled(TARGET)))
    assert play.hear(written(new, kind="bracket"), sold(10, STOP2)) == []
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
    assert play.group.stop_lost_at is None
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
    assert play.hear(cancelled(ENTRY)) == [cancel(TARGET), cancel(STOP)]
    play.hear(cancelled(TARGET))
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
    play.hear(cancelled(ENTRY))
    play.hear(wish(STOP, "bracket"), cancelled(TARGET))
    assert play.tick(AFTER_PATIENCE) == []
    assert play.hear(cancelled(STOP)) == []
    assert play.group.is_closed


def test_asking_three_times_and_being_heard_is_no_news() -> None:
    play = Play()
    play.hear(cancelled(ENTRY), cancelled(TARGET))
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
