"""The exits of a bracket have the size of what is held: partial fills, several targets, scale-ins.

The bound at every moment: never more than is held and the entry can still add. The promise
at rest: never less than is held.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import Side
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
    beside,
    bought,
    cancel,
    cancelled,
    closing,
    rejected,
    replacement,
    several,
    size,
    sold,
)
from tests.orders.samples import (
    AT,
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


def part_bought(quantity: int, key: str, at: float = 0) -> ev.FillEvent:
    return filled(fill(quantity, key=key, order_id=ENTRY), at=later(at))


# -- a partly filled entry -------------------------------------------------------------------


def test_exits_of_full_size_come_down_to_what_has_filled() -> None:
    """The broker lets all of them work: the fill is what they may end."""
    play = Play()
    assert play.hear(bought(4), working(TARGET), working(STOP, is_working=False)) == []
    assert play.tick(AFTER_GRACE) == [size(TARGET, 4), size(STOP, 4)]


def test_and_grow_with_every_further_fill() -> None:
    play = Play()
    play.hear(bought(4))
    play.resize(*play.tick(AFTER_GRACE))
    assert play.hear(part_bought(3, "more", at=2)) == []  # the broker may do it by itself
    assert play.tick(2 + AFTER_GRACE) == [size(TARGET, 7), size(STOP, 7)]
    play.resize(size(TARGET, 7), size(STOP, 7))
    play.hear(part_bought(3, "rest", at=4))
    assert play.tick(4 + AFTER_GRACE) == [size(TARGET, 10), size(STOP, 10)]


def test_exits_that_the_broker_sizes_are_left_to_it() -> None:
    play = Play()
    play.hear(bought(4))
    for spec in bracket_specs()[1:]:
        play.hear(accepted(msgspec.structs.replace(spec, quantity=Decimal(4))))
    assert play.tick(AFTER_GRACE) == []
    play.hear(part_bought(6, "rest", at=2))
    for spec in bracket_specs()[1:]:
        play.hear(accepted(spec, at=later(2)))
    assert play.tick(2 + AFTER_GRACE) == []


def test_a_stop_that_the_broker_leaves_behind_grows_though_its_target_has() -> None:
    """It has once been changed by us: then the broker may size the target alone."""
    play = Play()
    play.hear(bought(4))
    for spec in bracket_specs()[1:]:
        play.hear(accepted(msgspec.structs.replace(spec, quantity=Decimal(4))))
    play.hear(part_bought(3, "more", at=2))
    target = next(spec for spec in bracket_specs() if spec.order_id == TARGET)
    play.hear(accepted(msgspec.structs.replace(target, quantity=Decimal(7)), at=later(2)))
    assert play.tick(2 + AFTER_GRACE) == [size(STOP, 7)]


def test_an_entry_whose_exits_sleep_until_it_is_complete_is_cut_short() -> None:
    """What has filled would be naked for as long as the rest waits."""
    play = Play()
    play.hear(working(TARGET, is_working=False, held_for="child"))
    play.hear(working(STOP, is_working=False, held_for="child,trigger"))
    assert play.hear(bought(4)) == []
    asked = play.tick(AFTER_GRACE)
    assert cancel(ENTRY) in asked
    assert "sleep until its entry is complete" in play.said[0].message
    play.hear(cancelled(ENTRY, later(1)), cancelled(TARGET, later(1)))
    (command,) = play.hear(cancelled(STOP, later(1)))  # at once: nothing can have traded
    assert isinstance(command, SubmitOrders)
    assert [(one.order_id, one.quantity) for one in command.orders] == [
        (STOP2, Decimal(4)), (TARGET2, Decimal(4)),
    ]  # fmt: skip


def test_a_stop_that_waits_for_entry_and_price_sleeps_as_any_other() -> None:
    """TWS names all that an order waits for."""
    entry, _, stop = bracket_specs()
    play = Play((entry, stop))
    play.hear(working(STOP, is_working=False, held_for="child,trigger"), bought(4))
    assert cancel(ENTRY, 1) in play.tick(AFTER_GRACE)


def test_an_overfilled_entry_is_covered() -> None:
    play = Play()
    play.hear(bought(12))
    assert play.tick(AFTER_GRACE) == [size(TARGET, 12), size(STOP, 12)]


_CALLED_FILLED = ev.DoneEvent(at=AT, order_id=ENTRY, filled=Decimal(10))


@pytest.mark.parametrize("before", [(), (_CALLED_FILLED,)], ids=["", "claimed-before"])
@pytest.mark.parametrize("after", [(), (_CALLED_FILLED,)], ids=["", "claimed-after"])
def test_a_bust_cuts_the_exits(
    before: tuple[ev.OrderEvent, ...], after: tuple[ev.OrderEvent, ...]
) -> None:
    """Also where the status has counted what was taken back, or counts it still."""
    play = Play()
    first = fill(10, key="b", order_id=ENTRY)
    play.hear(filled(first), *before)
    less = fill(6, key="b", revision=2, order_id=ENTRY)
    asked = [*play.hear(filled(less, replaces=first), *after), *play.tick(AFTER_GRACE)]
    assert asked == [size(TARGET, 6), size(STOP, 6)]


def taken_back(quantity: int) -> ev.FillEvent:
    """Return the word that a first fill never was; `quantity` is what was heard of it."""
    never = fill(0, key=f"b{quantity}", revision=2, order_id=ENTRY)
    before = fill(quantity, key=f"b{quantity}", order_id=ENTRY) if quantity else None
    return filled(never, replaces=before)


@pytest.mark.parametrize("heard", [0, 4])
def test_an_entry_is_taken_back_whose_only_fill_was_busted_and_whose_exits_are_awake(
    heard: int,
) -> None:
    """They would sell what is not there; the broker puts none of them to sleep again."""
    play = Play()
    awake = (working(TARGET), working(STOP, is_working=False, held_for="trigger"))
    play.hear(*((bought(heard),) if heard else ()), *awake)
    assert play.hear(taken_back(heard)) == []
    assert play.tick(AFTER_GRACE) == [cancel(ENTRY)]
    assert "exits of AAPL could trade before its entry has" in play.said[0].message
    assert play.hear(cancelled(ENTRY, later(1))) == []
    assert play.tick(1 + AFTER_GRACE) == [cancel(TARGET), cancel(STOP)]


@pytest.mark.parametrize("why", ["trigger", ""])
def test_a_stop_alone_is_awake_once_it_waits_for_its_price_only(why: str) -> None:
    entry, _, stop = bracket_specs()
    play = Play((entry, stop))
    play.hear(working(STOP, is_working=False, held_for=why))
    play.hear(taken_back(0))
    assert play.tick(AFTER_GRACE) == ([cancel(ENTRY, 1)] if why else [])  # unsaid is unknown


def test_exits_that_sleep_leave_their_entry_alone_when_nothing_has_filled() -> None:
    play = Play()
    play.hear(working(TARGET, is_working=False, held_for="child"))
    play.hear(working(STOP, is_working=False, held_for="child,trigger"))
    assert play.hear(taken_back(0)) == []
    assert play.tick(AFTER_GRACE) == []


# -- several targets -------------------------------------------------------------------------


def test_each_target_has_a_stop_of_its_size() -> None:
    play = several(("155", 6), ("160", 4))
    assert play.sizes() == {"target": 6, "stop": 6, "target.2": 4, "stop.2": 4}
    assert play.hear(bought()) == []
    assert play.tick(AFTER_GRACE) == []


def test_a_target_that_fills_ends_its_own_stop_only() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought())
    (gone,) = play.hear(sold(6, TARGET))
    assert gone == cancel(STOP, 0)
    play.hear(cancelled(STOP))
    assert play.sizes() == {"target.2": 4, "stop.2": 4}
    assert play.hear(sold(4, STOP2)) == [cancel(TARGET2, 0)]
    play.hear(cancelled(TARGET2))
    assert play.group.is_closed


def test_a_part_without_a_target_has_its_stop_alone() -> None:
    play = several(("155", 6))
    assert play.sizes() == {"target": 6, "stop": 6, "stop.2": 4}
    assert play.hear(bought()) == []
    assert play.tick(AFTER_GRACE) == []


def test_a_cancelled_rest_is_shared_out() -> None:
    """Five of ten: three and two, as near to six and four as whole shares go."""
    play = several(("155", 6), ("160", 4))
    asked = play.hear(bought(5), cancelled(ENTRY))
    assert asked == [
        size(TARGET, 3), size(STOP, 3), size(TARGET2, 2), size(STOP2, 2),
    ]  # fmt: skip


def test_too_little_for_every_target_gives_up_the_rest_of_the_entry() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought(1))
    assert cancel(ENTRY, 0) in play.tick(AFTER_GRACE)
    asked = play.hear(cancelled(ENTRY, later(2)))
    assert set(asked) >= {cancel(TARGET2, 0), cancel(STOP2, 0)}
    assert play.tick(3) == []
    assert play.group.orders[STOP].desired is None
    play.resize(size(TARGET, 1), size(STOP, 1))
    play.hear(cancelled(TARGET2), cancelled(STOP2))
    assert play.sizes() == {"target": 1, "stop": 1}
    assert play.hear(sold(1, STOP)) == [cancel(TARGET, 0)]


def test_a_lost_stop_is_put_back_beside_its_own_target() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought())
    assert play.hear(rejected(STOP2)) == [cancel(TARGET2, 0)]
    (command,) = play.hear(cancelled(TARGET2))
    assert isinstance(command, SubmitOrders)
    stop, target = command.orders
    assert (stop.order_id, stop.stop_price) == ("memo-1-stop.4", Decimal(145))
    assert (target.order_id, target.limit_price) == ("memo-1-target.4", Decimal(160))
    assert {stop.quantity, target.quantity} == {Decimal(4)}
    play.hear(*(written(one, kind="bracket") for one in (stop, target)), accepted(stop))
    assert play.group.parts()[1].live == tuple(
        play.group.orders[OrderId(f"memo-1-{one}.4")] for one in ("stop", "target")
    )


def test_one_leg_closed_at_the_market_leaves_the_other_as_it_is() -> None:
    play = several(("155", 6), ("160", 4))
    play.hear(bought(), rejected(STOP2))
    (command,) = play.hear(cancelled(TARGET2))
    assert isinstance(command, SubmitOrders)
    play.hear(*(written(one, kind="bracket") for one in command.orders))
    stop4, target4 = (one.order_id for one in command.orders)
    play.hear(rejected(stop4))
    close = closing(play.hear(cancelled(target4)))
    assert (close.order_id, close.quantity) == ("memo-1-close.2", Decimal(4))
    assert play.hear(written(close, kind="bracket"), accepted(close)) == []
    done = fill(4, "149", key="c", order_id=close.order_id, side=Side.SELL)
    assert play.hear(filled(done)) == []
    assert play.tick(AFTER_GRACE) == []
    assert play.sizes() == {"target": 6, "stop": 6}


def cut_to_six(play: Play) -> None:
    """Let somebody else than the bracket take the exits down to six of ten."""
    play.hear(bought())
    for name in (TARGET, STOP):
        six = msgspec.structs.replace(play.group.orders[name].spec, quantity=Decimal(6))
        change = ev.ModifyEvent(at=AT, order_id=name, spec=six, origin="cover")
        assert play.hear(change, accepted(six)) == []


def test_what_an_exit_of_somebody_s_size_left_over_is_not_closed() -> None:
    """It was sold another way, or is meant to stay: the bracket cannot tell."""
    play = Play()
    cut_to_six(play)
    assert play.group.sized == {TARGET, STOP}
    assert play.hear(sold(6, STOP)) == [cancel(TARGET)]
    assert play.hear(cancelled(TARGET)) == []
    assert play.tick(AFTER_GRACE) == []
    assert play.group.is_closed


def test_what_stands_in_place_of_an_exit_of_somebody_s_size_has_that_size() -> None:
    play = Play()
    cut_to_six(play)
    asked = play.hear(cancelled(STOP), cancelled(TARGET))
    new, target = replacement(asked), beside(asked)
    assert {new.quantity, target.quantity} == {Decimal(6)}
    news = [written(one, kind="bracket") for one in (new, target)]
    play.hear(*news, accepted(new), accepted(target))
    assert play.group.sized == {TARGET, STOP, STOP2, TARGET2}
    assert play.tick(AFTER_GRACE) == []
    assert play.tick(AFTER_PATIENCE) == []


def test_the_size_that_the_group_would_give_an_exit_is_nobody_else_s() -> None:
    """A change of price may undo the broker's own cut; the guardian is quicker to repeat it."""
    play = Play()
    play.hear(bought(), sold(4))
    stop = play.group.orders[STOP].spec
    six = msgspec.structs.replace(stop, quantity=Decimal(6))
    assert play.hear(accepted(six), accepted(stop)) == []  # cut by the broker, then large again
    change = ev.ModifyEvent(at=AT, order_id=STOP, spec=six, origin="cover")
    assert play.hear(change, accepted(six)) == []
    assert play.group.sized == frozenset()
    assert play.group.is_scalable
    own = msgspec.structs.replace(change, origin="cli")
    play.hear(accepted(stop), own, accepted(six))
    assert play.group.sized == {STOP}  # a person's is his own, whatever it is


def part_of_two_legs(order_id: OrderId) -> list[Command]:
    """Let five of ten be bought, and a broker that sizes the exits by it end three at one."""
    play = several(("155", 6), ("160", 4))
    play.hear(bought(5))
    for name, share in ((TARGET, 3), (STOP, 3), (TARGET2, 2), (STOP2, 2)):
        spec = play.group.orders[name].spec
        play.hear(accepted(msgspec.structs.replace(spec, quantity=Decimal(share))))
    return play.hear(sold(3, order_id))


def test_an_entry_that_still_fills_goes_once_one_of_its_stops_was_hit() -> None:
    """The market is beyond it: the other is next."""
    assert cancel(ENTRY, 0) in part_of_two_legs(STOP)


def test_an_entry_that_still_fills_stays_when_a_target_was_reached() -> None:
    """The other leg takes what comes."""
    assert cancel(ENTRY, 0) not in part_of_two_legs(TARGET)
