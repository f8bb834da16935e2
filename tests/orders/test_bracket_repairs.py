"""What a bracket puts back of a position of which a part was sold elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, Side
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.asking import TRIES
from tests.orders.bracket_play import (
    AFTER_PATIENCE,
    STOP,
    TARGET,
    Play,
    bought,
    cancelled,
    closing,
    denied,
    rejected,
    several,
    wish,
)
from tests.orders.samples import accepted, bracket_specs, fill, filled, values, written

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderSpec


def asked_for(asked: list[Command]) -> tuple[OrderSpec, ...]:
    """Return the orders of the one command that is asked for."""
    (command,) = asked
    assert isinstance(command, SubmitOrders)
    assert command.reduces
    return command.orders


def lost(play: Play) -> tuple[OrderSpec, ...]:
    """Lose the stop of ten that were bought; return what is put back."""
    play.hear(bought(), rejected(STOP))
    return asked_for(play.hear(cancelled(TARGET)))


def smaller(play: Play, exits: tuple[OrderSpec, ...], room: str) -> tuple[OrderSpec, ...]:
    """Deny them for their size, in turn; return what is put back in their place."""
    asked = [play.hear(denied(one, "reduce_only", room)) for one in exits]
    assert asked[1:] == [[]] * (len(exits) - 1)  # told of the first it asks, and does so once
    return asked_for(asked[0])


def test_a_stop_for_more_than_is_left_is_put_back_for_what_is_left_with_its_target() -> None:
    """Four of ten were sold by hand while nobody was there, and the stop was taken away."""
    play = Play()
    again = smaller(play, lost(play), "6")
    assert [values(one.order_id, one.quantity) for one in again] == [
        values(OrderId("memo-1-stop.3"), 6),
        values(OrderId("memo-1-target.3"), 6),
    ]
    assert [one.stop_price or one.limit_price for one in again] == [145, 155]
    assert len({one.oca_group for one in again}) == 1
    play.hear(*(written(one, kind="bracket") for one in again), *map(accepted, again))
    assert play.tick(AFTER_PATIENCE) == []  # it is not made as large as the group believes it is
    assert play.sizes() == {"stop.3": 6, "target.3": 6}


@pytest.mark.parametrize("which", [0, 1])
def test_once_it_has_traded_nothing_is_left_to_close(which: int) -> None:
    play = Play()
    again = smaller(play, lost(play), "6")
    play.hear(*(written(one, kind="bracket") for one in again), *map(accepted, again))
    done, other = again[which], again[1 - which]
    trade = fill(6, "145", key="s", order_id=done.order_id, side=Side.SELL)
    play.hear(filled(trade))
    assert play.hear(cancelled(other.order_id)) == []
    assert play.tick(AFTER_PATIENCE) == []
    assert play.group.is_closed


def test_one_without_a_target_is_put_back_alone() -> None:
    entry, _, stop = bracket_specs()
    play = Play((entry, stop))
    exits = asked_for(play.hear(bought(), rejected(STOP)))
    (again,) = smaller(play, exits, "6")
    assert values(again.role, again.quantity) == (OrderRole.STOP, 6)


def test_a_target_taken_back_on_purpose_does_not_come_back_with_the_smaller_stop() -> None:
    play = Play()
    play.hear(bought(), wish(TARGET), cancelled(TARGET))
    (again,) = smaller(play, asked_for(play.hear(rejected(STOP))), "6")
    assert again.role is OrderRole.STOP


def test_what_is_too_large_again_and_again_is_closed_as_far_as_it_fits() -> None:
    play = Play()
    exits = smaller(play, smaller(play, lost(play), "6"), "5")
    asked = play.hear(denied(exits[0], "reduce_only", "4"))
    assert closing(asked).quantity == 4
    assert len(play.group.parts()[0].of(OrderRole.STOP)) == 1 + TRIES


@pytest.mark.parametrize(("room", "check"), [("0", "reduce_only"), ("6", "connection")])
def test_one_that_is_denied_for_another_reason_closes_the_position(room: str, check: str) -> None:
    play = Play()
    stop, target = lost(play)
    asked = play.hear(denied(stop, check, room), denied(target, check, room))
    assert closing(asked).quantity == 10


def test_of_several_legs_the_last_gets_what_the_others_leave() -> None:
    """Ten in two legs, of which one was sold by hand: the four of the second are three."""
    play = several(("155", 6), ("160", 4))
    stops = [order for order in play.group.exits if order.spec.role is OrderRole.STOP]
    targets = [order for order in play.group.exits if order.spec.role is OrderRole.TARGET]
    play.hear(bought(), *(rejected(one.order_id) for one in stops))
    asked = [play.hear(cancelled(one.order_id)) for one in targets]
    first, second = (asked_for(each) for each in asked)
    play.hear(*(written(one, kind="bracket") for one in first), *map(accepted, first))
    again = smaller(play, second, "3")
    assert [one.quantity for one in (*first, *again)] == [6, 6, 3, 3]
    play.hear(*(written(one, kind="bracket") for one in again), *map(accepted, again))
    assert play.tick(AFTER_PATIENCE) == []
    assert sorted(play.sizes().values()) == [3, 3, 6, 6]
