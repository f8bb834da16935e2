"""What an OCO group does when the broker does not."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderStatus, OrderType, Side
from ibkr_trader.core.models import OrderId, OrderSpec
from ibkr_trader.orders.asking import PATIENCE
from ibkr_trader.orders.oco_legs import OnRace
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.oco_policy import GRACE, LINGER, surplus
from tests.orders.oco_stage import (
    BUY,
    CLOSE,
    SELL,
    STOP,
    TARGET,
    Play,
    cancelled,
    entries,
    exits,
    leg,
    rejected,
    stop_leg,
    traded,
    wish,
)
from tests.orders.samples import AT, accepted, fill, filled, later, written

AFTER_GRACE = GRACE.total_seconds() + 0.1
AFTER_PATIENCE = PATIENCE.total_seconds() + 0.1


def cancel(order_id: OrderId) -> CancelOrder:
    return CancelOrder(order_id=order_id, origin="oco")


def resize(order_id: OrderId, quantity: int) -> ModifyOrder:
    return ModifyOrder(order_id=order_id, quantity=Decimal(quantity), origin="oco")


def breakout() -> OCOOrderRequest:
    """Buy on a dip or on a rise: two entries on one side."""
    return OCOOrderRequest(order_a=leg(Side.BUY, "145"), order_b=stop_leg(Side.BUY, "155"))


def closing(asked: list[Command]) -> OrderSpec:
    (command,) = asked
    assert isinstance(command, SubmitOrders)
    assert command.reduces
    (spec,) = command.orders
    return spec


# -- entries ---------------------------------------------------------------------------------


def test_the_first_entry_to_trade_ends_the_other() -> None:
    play = Play(entries())
    assert play.hear(traded(BUY, 4)) == [cancel(SELL)]
    assert play.hear(traded(BUY, 6)) == []  # asked once
    assert play.hear(cancelled(SELL)) == []
    play.pass_to(AFTER_GRACE)
    assert play.messages == ["AAPL is over: BUY 10"]
    assert not play.said[0].is_serious


def test_a_trade_that_only_a_status_tells_of_counts() -> None:
    play = Play(entries())
    done = ev.DoneEvent(at=AT, order_id=SELL, filled=Decimal(10))
    assert play.hear(done) == [cancel(BUY)]


def test_a_cancel_that_is_not_answered_is_asked_for_again() -> None:
    play = Play(entries())
    play.hear(traded(BUY))
    assert play.pass_to(AFTER_PATIENCE) == [cancel(SELL)]
    play.hear(wish(SELL, "oco"))
    assert play.pass_to(2 * AFTER_PATIENCE) == []  # it is under way


def test_what_a_lost_link_may_have_lost_is_asked_for_on_the_next_at_once() -> None:
    play = Play(entries())
    assert play.hear(traded(BUY)) == [cancel(SELL)]
    assert play.hear(ev.DisconnectEvent(at=later(0.1), epoch=1, reason="the link is cut")) == []
    assert play.pass_to(1) == [cancel(SELL)]


def test_an_entry_whose_partner_is_refused_goes_too() -> None:
    play = Play(entries())
    assert play.hear(rejected(SELL)) == [cancel(BUY)]
    assert play.messages == [
        "memo-1-entry.2 of AAPL is not there: no margin; its partner is cancelled, too"
    ]
    assert play.said[0].is_serious


def test_an_entry_whose_partner_was_never_sent_goes_too() -> None:
    play = Play(entries(), is_sent=False)
    buy, sell = play.group.open().orders
    play.hear(written(buy), written(sell), accepted(buy))
    assert play.hear(ev.NotSentEvent(at=AT, order_id=SELL, reason="gone")) == [cancel(BUY)]


def test_an_entry_whose_partner_is_taken_away_goes_too_unless_it_has_traded() -> None:
    play = Play(entries())
    assert play.hear(cancelled(SELL)) == []  # the sign of a trade, perhaps
    assert play.pass_to(AFTER_GRACE) == [cancel(BUY)]

    play = Play(entries())
    play.hear(cancelled(SELL), traded(BUY))
    assert play.pass_to(AFTER_GRACE) == []


def test_a_leg_that_somebody_takes_back_leaves_the_other() -> None:
    play = Play(entries())
    play.hear(wish(SELL), cancelled(SELL))
    assert play.pass_to(AFTER_GRACE) == []
    assert play.messages == []


@pytest.mark.parametrize(
    "end", [ev.NotSentEvent(at=AT, order_id=SELL, reason="gone"), rejected(SELL)]
)
def test_a_leg_taken_back_that_never_came_to_the_broker_leaves_the_other(
    end: ev.OrderEvent,
) -> None:
    play = Play(entries(), is_sent=False)
    buy, sell = play.group.open().orders
    assert play.hear(written(buy), written(sell), accepted(buy), wish(SELL), end) == []
    assert play.pass_to(AFTER_GRACE) == []
    assert play.messages == []


@pytest.mark.parametrize(("asked", "held"), [(entries(), 0), (exits(), 10)])
def test_a_denied_group_asks_for_nothing(asked: OCOOrderRequest, held: int) -> None:
    play = Play(asked, held, is_sent=False)
    denied = [
        ev.DenyEvent(at=AT, order_id=spec.order_id, breaches=(), spec=spec)
        for spec in play.group.open().orders
    ]
    assert play.hear(*denied) == []
    play.pass_to(0)
    play.pass_to(LINGER.total_seconds())
    assert play.group.is_closed
    assert play.messages == []


def test_entries_that_reduce_each_other_are_cut_after_the_brokers_grace() -> None:
    play = Play(msgspec.structs.replace(breakout(), oca_type=OcaType.REDUCE))
    other = OrderId("memo-1-entry.2")
    assert play.hear(traded(BUY, 4)) == []
    assert play.pass_to(AFTER_GRACE) == [resize(other, 6)]


# -- exits -----------------------------------------------------------------------------------


def test_a_filled_exit_ends_the_other() -> None:
    play = Play(exits(), 10)
    assert play.hear(traded(TARGET)) == [cancel(STOP)]


def test_a_partly_filled_exit_cuts_the_other_once_the_broker_has_had_its_say() -> None:
    play = Play(exits(), 10)
    assert play.hear(traded(TARGET, 4)) == []
    assert play.pass_to(AFTER_GRACE) == [resize(STOP, 6)]
    assert play.pass_to(AFTER_GRACE + 1) == []


def test_what_the_broker_has_reduced_itself_is_not_asked_for() -> None:
    play = Play(exits(), 10)
    stop = play.group.orders[STOP].spec
    smaller = msgspec.structs.replace(stop, quantity=Decimal(6))
    play.hear(traded(TARGET, 4), accepted(smaller))
    assert play.pass_to(AFTER_GRACE) == []


def test_what_a_leg_has_traded_itself_is_not_cut_again() -> None:
    play = Play(exits(), 10)
    stop = play.group.orders[STOP].spec
    smaller = msgspec.structs.replace(stop, quantity=Decimal(6))
    play.hear(traded(TARGET, 4), accepted(smaller), traded(STOP, 2))
    assert play.pass_to(AFTER_GRACE) == [resize(TARGET, 8)]


def test_a_stop_is_never_taken_away_while_something_is_left_for_it() -> None:
    play = Play(exits(oca_type=OcaType.CANCEL), 10)
    assert play.hear(traded(TARGET, 4)) == []
    assert play.pass_to(AFTER_GRACE) == [resize(STOP, 6)]


def test_a_size_that_somebody_has_changed_is_left_alone() -> None:
    play = Play(exits(), 10)
    stop = play.group.orders[STOP].spec
    play.hear(accepted(msgspec.structs.replace(stop, quantity=Decimal(20))))
    assert play.pass_to(AFTER_GRACE) == []
    assert play.hear(traded(TARGET, 4), ev.TimeEvent(at=later(AFTER_GRACE))) == [resize(STOP, 16)]


def test_a_leg_on_its_way_out_is_not_cut() -> None:
    play = Play(exits(), 10)
    play.hear(traded(TARGET, 4), wish(STOP))
    assert play.pass_to(AFTER_GRACE) == []


def test_a_refused_target_leaves_the_stop() -> None:
    play = Play(exits(), 10)
    assert play.hear(rejected(TARGET)) == []
    assert play.pass_to(AFTER_GRACE) == []
    assert play.messages == ["the target of AAPL is not there: no margin; the stop stays"]
    assert play.said[0].is_serious


def test_a_refused_stop_is_said_aloud() -> None:
    play = Play(exits(), 10)
    assert play.hear(rejected(STOP)) == []
    assert play.messages == ["10 AAPL are held without their stop: no margin"]


def test_exits_that_are_taken_back_are_not_missed() -> None:
    play = Play(exits(), 10)
    play.hear(wish(STOP), cancelled(STOP), wish(TARGET), cancelled(TARGET))
    play.pass_to(AFTER_GRACE)
    assert play.messages == [
        "10 AAPL are held without their stop: it was cancelled on request",
        "AAPL is over: nothing traded",
    ]


def test_exits_that_the_broker_takes_away_are_missed() -> None:
    play = Play(exits(), 10)
    play.hear(cancelled(TARGET), cancelled(STOP))
    assert play.messages == []  # perhaps one has traded
    play.pass_to(AFTER_GRACE)
    assert play.messages[:2] == [
        "10 AAPL are held without their stop: 202",
        "the target of AAPL is not there: 202",
    ]


# -- both sides traded -----------------------------------------------------------------------


def test_both_entries_traded_are_said_and_what_is_left_is_closed_once() -> None:
    play = Play(entries())
    play.hear(traded(BUY), traded(SELL, 4))
    assert play.messages == ["both sides of AAPL traded: BUY 10, SELL 4"]
    assert surplus(play.group) == 6
    play.hear(cancelled(SELL))
    spec = closing(play.pass_to(AFTER_GRACE))
    assert (spec.order_id, spec.side, spec.quantity) == (CLOSE, Side.SELL, Decimal(6))
    assert spec.order_type is OrderType.MARKET
    play.hear(written(spec, kind="oco"))
    assert play.pass_to(AFTER_PATIENCE) == []
    told = fill(6, key="c", order_id=CLOSE, side=Side.SELL)
    play.hear(filled(told, at=later(AFTER_PATIENCE)))
    assert surplus(play.group) == 0
    assert play.messages[1:] == [
        "6 AAPL too many are held long: they are closed at the market",
        "what was too much of AAPL is closed again",
        "AAPL is over: BUY 10, SELL 4, SELL 6",
    ]


def test_a_closing_order_that_fails_is_not_repeated() -> None:
    play = Play(breakout())
    other = OrderId("memo-1-entry.2")
    told = fill(10, key="other", order_id=other)
    play.hear(traded(BUY), filled(told))
    spec = closing(play.pass_to(AFTER_GRACE))
    assert (spec.side, spec.quantity) == (Side.SELL, Decimal(10))
    play.hear(written(spec, kind="oco"), rejected(CLOSE))
    for second in range(2, 60):
        assert play.pass_to(second) == []
    assert "memo-1-close: no margin; close them" in play.messages[-1]


def test_a_trade_after_the_closing_is_not_closed_again() -> None:
    play = Play(entries())
    play.hear(traded(BUY), traded(SELL, 4), cancelled(SELL))
    spec = closing(play.pass_to(AFTER_GRACE))
    told = fill(6, key="c", order_id=CLOSE, side=Side.SELL)
    play.hear(written(spec, kind="oco"), filled(told, at=later(2)))
    assert play.hear(traded(SELL, 2, key="late", at=later(3))) == []
    for second in range(4, 60):
        assert play.pass_to(second) == []
    assert any("2 AAPL too many are held short" in message for message in play.messages)


def test_the_surplus_may_be_kept() -> None:
    play = Play(entries(on_race=OnRace.KEEP))
    play.hear(traded(BUY), traded(SELL, 4), cancelled(SELL))
    assert play.pass_to(AFTER_GRACE) == []
    assert play.messages[-1] == "6 AAPL too many are held long, and are kept as you said"


def test_both_entries_traded_in_full_leave_nothing() -> None:
    play = Play(entries())
    play.hear(traded(BUY), traded(SELL))
    assert surplus(play.group) == 0
    assert play.pass_to(AFTER_GRACE) == []
    assert play.messages[0] == "both sides of AAPL traded: BUY 10, SELL 10"


def test_in_a_race_every_entry_that_still_works_is_cancelled() -> None:
    play = Play(entries())
    assert play.hear(traded(BUY, 3), traded(SELL, 3)) == [cancel(SELL), cancel(BUY)]


def test_exits_that_traded_too_much_are_bought_back() -> None:
    play = Play(exits(), 10)
    play.hear(traded(TARGET), traded(STOP, 7), cancelled(STOP))
    assert surplus(play.group) == -7
    spec = closing(play.pass_to(AFTER_GRACE))
    assert (spec.side, spec.quantity) == (Side.BUY, Decimal(7))
    assert play.messages[0] == "both sides of AAPL traded: SELL 7, SELL 10"


def test_nothing_is_bought_back_while_a_leg_could_still_trade() -> None:
    play = Play(exits(), 10)
    assert play.hear(traded(TARGET), traded(STOP, 7)) == [cancel(STOP)]
    assert play.pass_to(AFTER_GRACE) == []
    play.hear(traded(STOP, 2, key="more", at=later(2)), cancelled(STOP, at=later(2)))
    assert closing(play.pass_to(2 + AFTER_GRACE)).quantity == 9


def test_exits_that_share_their_size_are_no_race() -> None:
    play = Play(exits(), 10)
    play.hear(traded(TARGET, 4), traded(STOP, 6))
    assert surplus(play.group) == 0
    assert play.messages == []


def test_entries_that_share_their_size_are_no_race() -> None:
    play = Play(msgspec.structs.replace(breakout(), oca_type=OcaType.REDUCE))
    other = OrderId("memo-1-entry.2")
    play.hear(traded(BUY, 4), filled(fill(6, key="other", order_id=other)))
    assert surplus(play.group) == 0
    play.hear(traded(BUY, 2, key="more"))
    assert surplus(play.group) == 2


# -- the end ---------------------------------------------------------------------------------


def test_it_lingers_for_a_late_trade() -> None:
    play = Play(entries())
    play.hear(traded(BUY), cancelled(SELL))
    play.pass_to(9)
    assert not play.group.is_closed
    play.hear(traded(SELL, 3, at=later(9)))
    play.pass_to(LINGER.total_seconds() + 1)
    assert not play.group.is_closed  # a surplus is yet to be closed
    assert play.group.closing is None


def test_it_is_over_in_the_end() -> None:
    play = Play(entries())
    play.hear(traded(BUY), cancelled(SELL))
    play.pass_to(1)
    assert not play.group.is_closed
    play.pass_to(LINGER.total_seconds() + 0.1)
    assert play.group.is_closed


def test_an_order_that_comes_back_opens_it_again() -> None:
    play = Play(entries())
    play.hear(traded(BUY), cancelled(SELL))
    spec = play.group.orders[SELL].spec
    play.hear(accepted(spec, from_snapshot=True))
    assert play.group.orders[SELL].status is OrderStatus.PRESUBMITTED
    assert play.group.over_at is None
