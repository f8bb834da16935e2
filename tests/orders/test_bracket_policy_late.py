"""What a bracket does about what came in late, where others have exits."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from tests.orders.bracket_play import (
    AFTER_GRACE,
    ENTRY,
    STOP,
    TARGET,
    Play,
    bought,
    cancelled,
    closing,
    denied,
    sold,
)
from tests.orders.samples import accepted, bracket_specs, fill, filled, later, values, written

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderSpec

NOW = later(AFTER_GRACE)


def came_late() -> tuple[Play, OrderSpec]:
    """Five that came in after the exits had traded, and the close that is asked for."""
    play = Play()
    small = msgspec.structs.replace(bracket_specs()[2], quantity=Decimal(4))
    play.hear(bought(4), accepted(small), sold(4, STOP), cancelled(TARGET))
    play.hear(filled(fill(5, key="late", order_id=ENTRY)), cancelled(ENTRY))
    return play, closing(play.tick(AFTER_GRACE))


def test_what_came_late_is_closed_as_far_as_other_exits_leave_it() -> None:
    """The trail of another group has two of the five."""
    play, close = came_late()
    close = closing(play.hear(denied(close, "reduce_only", "3", NOW)))
    assert values(close.side, close.quantity) == (Side.SELL, 3)
    assert play.said == []
    done = filled(fill(3, "144", key="c", order_id=close.order_id, side=Side.SELL), at=NOW)
    assert play.hear(written(close, kind="bracket"), done) == []
    assert play.group.is_closed
    (word,) = play.said
    assert word.message == (
        "2 AAPL came in after the exits had traded; other exits have them: see whether they are"
        " enough"
    )


def test_what_else_is_said_of_a_close_that_is_too_large_is_said_of_what_would_open() -> None:
    """A desk that only reduces denies it twice over; cut to size it reduces."""
    play, close = came_late()
    event = denied(close, "reduce_only", "3", NOW)
    halted = ev.Breach(check="trading_state", message="Trading is REDUCING")
    both = msgspec.structs.replace(event, breaches=(*event.breaches, halted))
    assert closing(play.hear(both)).quantity == 3


@pytest.mark.parametrize(("check", "room"), [("reduce_only", "0"), ("connection", "3")])
def test_what_came_late_and_is_denied_for_another_reason_is_left_to_a_person(
    check: str, room: str
) -> None:
    play, close = came_late()
    assert play.hear(denied(close, check, room, NOW)) == []
    assert "closing them failed: others have it; close it by hand" in play.said[0].message
    assert play.group.is_closed


def test_a_close_is_cut_once() -> None:
    play, close = came_late()
    close = closing(play.hear(denied(close, "reduce_only", "3", NOW)))
    assert play.hear(denied(close, "reduce_only", "2", NOW)) == []
    assert "closing them failed: others have it; close it by hand" in play.said[0].message
