"""Whether the exits of a bracket follow an entry more, and what becomes of one that rests."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.orders.bracket_growing import will_follow
from tests.orders.bracket_play import (
    AFTER_GRACE,
    AFTER_PATIENCE,
    ENTRY,
    STOP,
    STOP2,
    TARGET,
    Play,
    bought,
    cancel,
    cancelled,
    several,
    size,
    sold,
    wish,
)
from tests.orders.samples import AT, later
from tests.orders.test_bracket_policy_scaling import ENTRY2, joined, scaled

if TYPE_CHECKING:
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import OrderId

TAKEN_BACK = f"the exits of AAPL would not follow {ENTRY2}: its rest is taken back"


def resting(play: Play) -> Play:
    """Let ten be held, and an entry more wait."""
    play.hear(bought())
    assert joined(play) == []
    return play


def sized(play: Play, order_id: OrderId, quantity: int, *, by: str = "cli") -> list[Command]:
    """Let somebody ask for a size of an exit; the broker has not answered yet."""
    spec = msgspec.structs.replace(play.group.orders[order_id].spec, quantity=Decimal(quantity))
    return play.hear(ev.ModifyEvent(at=AT, order_id=order_id, spec=spec, origin=by))


@pytest.mark.parametrize("by", ["cli", "library", "cover"])
@pytest.mark.parametrize("which", [STOP, TARGET])
def test_an_entry_more_is_taken_back_as_soon_as_somebody_sizes_an_exit(
    by: str, which: OrderId
) -> None:
    """The guardian does so where a person has sold a part in TWS."""
    play = resting(Play())
    assert sized(play, which, 6, by=by) == [cancel(ENTRY2, 1)]
    assert [(word.message, word.is_serious) for word in play.said] == [(TAKEN_BACK, True)]
    assert play.tick(AFTER_GRACE) == []
    assert play.said == []


def test_one_that_has_filled_in_part_loses_its_rest() -> None:
    play = resting(Play())
    play.resize(*play.hear(scaled(4)))
    assert sized(play, STOP, 6) == [cancel(ENTRY2, 1)]


def test_a_change_of_the_group_s_own_is_no_reason() -> None:
    """Nor is a price that somebody moves meanwhile, or a link that is lost with both."""
    play = resting(Play())
    for order_id in (TARGET, STOP):
        assert play.hear(scaled(1, key=order_id))
        grown = play.group.orders[order_id].spec
        grown = msgspec.structs.replace(grown, quantity=Decimal(14))
        moved = msgspec.structs.replace(grown, stop_price=Decimal(148))
        own = ev.ModifyEvent(at=AT, order_id=order_id, spec=grown, origin="bracket")
        price = ev.ModifyEvent(at=AT, order_id=order_id, spec=moved, origin="cli")
        assert cancel(ENTRY2, 1) not in play.hear(own, price)
    gone = ev.DisconnectEvent(at=later(1), epoch=1, reason="the link is cut")
    assert cancel(ENTRY2, 1) not in play.hear(gone)
    assert cancel(ENTRY2, 1) not in play.tick(2)
    assert will_follow(play.group)


def test_a_stop_that_is_leaving_still_follows_and_one_that_is_gone_does_not() -> None:
    """Its cancel may be refused; once it is not, nobody wants a stop for what is held."""
    play = resting(Play())
    assert play.hear(wish(STOP)) == []
    refusal = ev.CancelRejectEvent(at=later(1), order_id=STOP, code=161, reason="cannot")
    assert play.hear(refusal) == []
    assert will_follow(play.group)
    assert play.hear(wish(STOP, at=later(2))) == []
    assert play.hear(cancelled(STOP, at=later(3))) == [cancel(ENTRY2, 1)]


def test_exits_that_the_broker_leaves_as_they_are_take_back_what_is_still_to_come() -> None:
    play = resting(Play())
    asked = play.hear(scaled(4))
    assert asked == [size(TARGET, 14), size(STOP, 14)]
    assert play.tick(AFTER_PATIENCE) == asked
    assert play.tick(2 * AFTER_PATIENCE) == asked
    play.tick(3 * AFTER_PATIENCE)
    assert play.tick(3 * AFTER_PATIENCE + 0.25) == [cancel(ENTRY2, 1)]


def test_a_leg_that_will_have_no_stop_is_enough() -> None:
    play = resting(several(("155", 6), ("160", 4)))
    assert will_follow(play.group)
    play.hear(wish(STOP2))
    assert play.hear(cancelled(STOP2)) == [cancel(ENTRY2, 1)]


def test_no_entry_more_joins_beside_a_stop_that_was_hit() -> None:
    """The others are at its price, or further away: it would be taken back at once."""
    play = several(("155", 6), ("160", 4))
    play.hear(bought(), sold(6, STOP))
    assert not will_follow(play.group)
    assert not play.group.is_scalable


def test_an_exit_of_a_leg_that_is_over_keeps_none_away() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought())
    sized(play, STOP, 5)
    assert not will_follow(play.group)
    play.hear(sold(6, TARGET))
    assert will_follow(play.group)


def test_a_position_that_ends_takes_it_back_and_that_needs_no_word() -> None:
    play = resting(Play())
    assert cancel(ENTRY2, 1) in play.hear(sold(10, TARGET))
    assert TAKEN_BACK not in [word.message for word in play.said]


def test_what_somebody_takes_back_already_is_not_told() -> None:
    play = resting(Play())
    play.hear(wish(ENTRY2))
    assert sized(play, STOP, 6) == []
    assert play.said == []


def test_the_first_entry_has_exits_of_its_own_and_stays() -> None:
    play = Play()
    play.hear(bought(4))
    assert sized(play, STOP, 8) == []
    assert cancel(ENTRY) not in play.tick(AFTER_GRACE)
    assert not will_follow(play.group)
