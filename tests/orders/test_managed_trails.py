"""A resting stop that a running trader tightens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.codec import decode_command, encode
from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import DataType, OrderType, Side, TimeInForce
from ibkr_trader.core.models import PriceBand
from ibkr_trader.orders.asking import PATIENCE
from ibkr_trader.orders.group import ORDER_TYPES, Follower
from ibkr_trader.orders.managed_trails import KIND, ManagedTrail, Trail
from tests.orders.samples import (
    AAPL,
    AT,
    GROUP,
    MSFT,
    accepted,
    fill,
    filled,
    later,
    working,
    written,
)
from tests.orders.trail_stage import STOP, Play, config, quote, setting

AFTER_PATIENCE = PATIENCE.total_seconds() + 0.1


def test_it_begins_at_the_trails_distance_and_lasts() -> None:
    group = config(is_managed=True).group(setting())
    command = group.open()
    (spec,) = command.orders
    assert (spec.order_type, spec.side) == (OrderType.STOP, Side.SELL)
    assert spec.stop_price == 147
    assert spec.time_in_force is TimeInForce.GTC
    assert isinstance(group, Follower)
    assert group.follows == {AAPL}
    assert not group.outside_rth


def test_its_stop_and_its_plan_are_all_that_a_restart_needs() -> None:
    bands = (PriceBand(Decimal(0), Decimal("0.0001")), PriceBand(Decimal(1), Decimal("0.01")))
    for terms in ({"trail_percent": Decimal("2.5")}, {"activation_price": Decimal(160)}):
        group = config(is_managed=True, **terms).group(setting()._replace(bands=bands))
        command = group.open()
        again = decode_command(encode(command))
        assert isinstance(again, SubmitOrders)
        assert ORDER_TYPES[KIND](GROUP, again.orders, again.plan) == group


def test_a_long_stop_rises_with_the_market() -> None:
    play = Play()
    assert play.stand("152") == 149
    assert play.stand("155") == 152
    assert play.stand("150") is None
    assert play.at == 152


def test_a_short_stop_falls_with_the_market() -> None:
    play = Play(held=-10)
    assert play.at == 153
    assert play.stand("147.99", "148") == 151
    assert play.stand("151.99", "152") is None
    assert play.at == 151


def test_a_percentage_is_of_the_best_price() -> None:
    play = Play(trail_percent=Decimal(2))
    assert play.at == 147
    assert play.stand("160") == Decimal("156.8")


def test_it_is_rounded_towards_the_market() -> None:
    play = Play(trail_percent=Decimal("2.5"))
    assert play.stand("151.11") == Decimal("147.34")  # 147.332…
    short = Play(held=-10, trail_percent=Decimal("2.5"))
    assert short.stand("148.88", "148.89") == Decimal("152.61")  # 152.612…


def test_it_follows_only_from_the_activation_on() -> None:
    play = Play(activation_price=Decimal(155))
    assert play.stand("154.99") is None
    assert play.stand("155") == 152
    assert play.stand("154") is None
    assert play.stand("156") == 153


def test_a_short_one_is_activated_below() -> None:
    play = Play(held=-10, activation_price=Decimal(145))
    assert play.stand("145", "145.01") is None
    assert play.stand("144.99", "145") == 148


# -- no more than the broker can take --------------------------------------------------------


def test_at_most_once_a_second_and_to_the_newest() -> None:
    play = Play()
    play.stand("152")
    assert play.tick("152.5", after=0.2) is None
    assert play.tick("153", after=0.2) is None
    assert play.tick("152.8", after=0.2) is None
    assert play.wait(0.5) == 150  # the best that was there, and once


def test_the_next_change_waits_for_the_answer() -> None:
    play = Play()
    play.tick("152")
    assert play.tick("152") == 149
    spec = msgspec.structs.replace(play.group.stop.spec, stop_price=Decimal(149))
    play.hear(ev.ModifyEvent(at=later(2), order_id=STOP, spec=spec, origin="trail"))
    assert play.tick("153") is None
    assert play.tick("154") is None
    asked = play.hear(accepted(spec, at=later(play.seconds)))
    (move,) = asked
    assert move == ModifyOrder(
        order_id=STOP, stop_price=Decimal(151), origin="trail", is_cosmetic=True
    )


def test_a_step_that_is_worth_nothing_is_left_out() -> None:
    play = Play()
    play.stand("152")
    assert play.stand("152.14") is None  # less than a tenth of a percent
    assert play.stand("152.15") == Decimal("149.15")


def test_what_was_refused_is_tried_again_later_and_said_once() -> None:
    play = Play()
    play.tick("152")
    assert play.tick("152") == 149
    refusal = ev.ModifyRejectEvent(at=later(2), order_id=STOP, code=201, reason="not now")
    spec = msgspec.structs.replace(play.group.stop.spec, stop_price=Decimal(149))
    for _ in range(2):
        moment = later(play.seconds)
        play.hear(ev.ModifyEvent(at=moment, order_id=STOP, spec=spec, origin="trail"))
        play.hear(msgspec.structs.replace(refusal, at=moment))
        assert play.tick("152.5") is None
        play.seconds += AFTER_PATIENCE
        assert play.tick("152.5") == Decimal("149.5")
    assert play.messages == ["the stop of AAPL at 147.00 stays: not now"]
    assert play.at == 147


def test_what_our_own_checks_deny_is_tried_again_later() -> None:
    play = Play()
    play.tick("152")
    assert play.tick("152") == 149
    play.hear(ev.DenyEvent(at=later(play.seconds), order_id=STOP, breaches=()))
    assert play.tick("152.5") is None
    play.seconds += AFTER_PATIENCE
    assert play.tick("152.5") == Decimal("149.5")
    assert play.messages == []


def test_what_could_not_be_sent_is_asked_for_again() -> None:
    play = Play()
    play.tick("152")
    assert play.tick("152") == 149
    assert play.last is not None
    play.group = play.group.unsent(play.last)
    assert play.tick("152", after=0.1) == 149


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    play = Play()
    play.stand("152")
    play.seconds -= 3600
    assert play.tick("153") == 150


# -- no further than the market --------------------------------------------------------------


def test_it_never_fires_by_being_moved() -> None:
    """The market has come back through the price at which the stop should be."""
    play = Play()
    play.stand("152")
    play.tick("153", after=0.2)
    assert play.tick("149.90", after=1) is None
    assert play.tick("150.00", after=1) is None  # at the market is past it
    assert play.tick("150.01", after=1) == 150


@pytest.mark.parametrize(
    "bad",
    [
        {"bid": "156", "ask": "150"},
        {"bid": "156", "halted": True},
        {"bid": "156", "data_type": DataType.DELAYED},
        {"bid": "156", "data_type": DataType.FROZEN},
        {"bid": "156", "ask": "0"},
        {"bid": "1560", "ask": "1560.01"},
    ],
)
def test_a_bad_quote_moves_nothing(bad: dict[str, Any]) -> None:
    play = Play()
    play.stand("152")
    ask = bad.get("ask")
    more = {name: value for name, value in bad.items() if name not in {"bid", "ask"}}
    assert play.tick(bad["bid"], ask, **more) is None
    assert play.wait(1) is None
    assert play.stand("152.50") == Decimal("149.5")


def test_a_quote_that_has_grown_old_moves_nothing() -> None:
    play = Play()
    play.stand("152")
    play.tick("153", after=0.2)
    assert play.wait(5.1) is None
    assert play.tick("152.5", after=0.1) == 150  # the best that it has seen still counts


def test_a_quote_from_before_the_link_was_lost_moves_nothing() -> None:
    play = Play()
    play.stand("152")
    assert play.tick("153", after=0.2) is None
    play.hear(ev.DisconnectEvent(at=later(play.seconds), epoch=1, reason="gone"))
    assert play.wait(1) is None
    assert play.tick("152.5", after=0.1) == 150


def test_the_price_of_another_contract_is_none_of_its_business() -> None:
    play = Play()
    told = msgspec.structs.replace(quote("160"), contract=MSFT)
    before = play.group
    play.hear(ev.PriceEvent(at=AT, contract=MSFT, quote=told))
    play.hear(ev.VolumeEvent(at=AT, contract=AAPL, volume=Decimal(1)))
    assert play.group is before


# -- other hands -----------------------------------------------------------------------------


def test_a_stop_that_was_moved_by_hand_is_left_alone() -> None:
    play = Play()
    play.stand("152")
    by_hand = msgspec.structs.replace(play.group.stop.spec, stop_price=Decimal("148.5"))
    play.hear(accepted(by_hand, at=later(play.seconds)))
    assert play.stand("160") is None
    assert play.at == Decimal("148.5")
    assert play.messages == [
        "the stop of AAPL at 148.50 was moved by hand: the trail leaves it alone from now on"
    ]


def test_a_stop_that_was_widened_here_is_left_alone_until_it_is_tightened_here() -> None:
    play = Play()
    play.stand("152")

    def move(to: str) -> None:
        spec = msgspec.structs.replace(play.group.stop.spec, stop_price=Decimal(to))
        moment = later(play.seconds)
        play.hear(
            ev.ModifyEvent(at=moment, order_id=STOP, spec=spec, origin="cli"),
            accepted(spec, at=moment),
            play.held(),
        )

    move("146")
    assert play.stand("154") is None
    bigger = msgspec.structs.replace(play.group.stop.spec, quantity=Decimal(9))
    play.hear(ev.ModifyEvent(at=later(play.seconds), order_id=STOP, spec=bigger, origin="cli"))
    play.hear(accepted(bigger, at=later(play.seconds)), play.held())
    assert play.stand("154") is None
    move("150")
    assert play.tick("154") == 151


def test_a_stop_that_trades_by_the_brokers_word_is_left_alone() -> None:
    play = Play()
    play.hear(working(STOP, 4))
    assert play.stand("155") is None


def test_a_stop_that_trades_is_left_alone() -> None:
    play = Play()
    told = fill(4, key="s", order_id=STOP, side=Side.SELL)
    play.hear(filled(told))
    assert play.stand("155") is None
    play.hear(filled(fill(6, key="t", order_id=STOP, side=Side.SELL)))
    assert play.group.is_closed
    assert play.messages == ["AAPL is over: its stop traded 10"]


def test_the_end_of_the_stop_is_told() -> None:
    play = Play()
    play.hear(ev.CancelEvent(at=AT, order_id=STOP, reason="202"))
    assert play.messages == ["10 AAPL are held without their stop: 202"]
    assert play.said[0].is_serious
    asked = Play()
    asked.hear(ev.CancelRequestEvent(at=AT, order_id=STOP, origin="guardian"))
    asked.hear(ev.CancelEvent(at=AT, order_id=STOP))
    assert asked.messages == ["the trail of AAPL ends: its stop was taken back"]
    denied = Play()
    (spec,) = denied.group.open().orders
    group = ManagedTrail.resting(spec, Trail(amount=Decimal(3)))
    step = group.react(ev.DenyEvent(at=AT, order_id=STOP, breaches=(), spec=spec))
    assert step.events == ()


# -- a restart -------------------------------------------------------------------------------


def history(play: Play, *news: ev.BaseEvent) -> ManagedTrail:
    """Rebuild the trail from the journal: its opening, and the news of its order alone."""
    command = play.group.open()
    first = msgspec.structs.replace(command.orders[0], stop_price=Decimal(147))
    group = ORDER_TYPES[KIND](GROUP, (first,), command.plan)
    for event in (written(first, kind=KIND), accepted(first), play.held(), *news):
        group = group.react(event).group
    assert isinstance(group, ManagedTrail)
    return group


def test_after_a_restart_it_goes_on_from_where_the_stop_works() -> None:
    play = Play()
    play.stand("155")
    moved = play.group.stop.spec
    asked = ev.ModifyEvent(at=AT, order_id=STOP, spec=moved, origin="trail")
    play.group = history(play, asked, accepted(moved, from_snapshot=True), play.held())
    assert play.at == 152
    assert play.stand("151") is None  # the market has fallen: nothing widens
    assert play.at == 152
    assert play.stand("155.50") == Decimal("152.5")


def test_after_a_restart_it_knows_that_it_was_activated() -> None:
    play = Play(activation_price=Decimal(155))
    play.stand("156")
    moved = play.group.stop.spec
    asked = ev.ModifyEvent(at=AT, order_id=STOP, spec=moved, origin="trail")
    play.group = history(play, asked, accepted(moved), play.held())
    assert play.group.is_active
    assert play.stand("154") is None
    assert play.stand("157") == 154
    assert not history(play).is_active


@pytest.mark.parametrize(("held", "price", "stop"), [(10, "160", 157), (-10, "140", 143)])
def test_a_jump_that_stands_is_followed_though_no_other_tick_comes(
    held: int, price: str, stop: int
) -> None:
    play = Play(held=held)
    play.stand("150", "150")
    assert play.tick(price, price) is None
    assert play.wait(0.9) is None
    assert play.wait(0.2) == stop
    assert play.answer() == stop
    assert play.tick("150", "150") is None  # it is gone again, and what was reached stays
