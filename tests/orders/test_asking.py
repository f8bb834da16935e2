"""Asked again with patience, told once."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.models import OrderId
from ibkr_trader.orders.asking import PATIENCE, SLOWLY, TRIES, Memory, Want, Word, parted
from tests.orders.samples import GROUP, later

CANCEL = CancelOrder(order_id=OrderId("memo-1-stop"))
WANTS = (Want("cancel stop", CANCEL),)
CHANGE = Want(
    "resize stop", ModifyOrder(order_id=OrderId("memo-1-stop"), quantity=Decimal(5), origin="memo")
)
LONG = PATIENCE.total_seconds()


def test_nothing_wanted_is_nothing_asked() -> None:
    memory = Memory()
    done = memory.after((), (), at=later(0), group_id=GROUP)
    assert done.memory is memory
    assert (done.commands, done.events) == ((), ())


def asked_in(seconds: int, wants: tuple[Want, ...]) -> tuple[list[int], list[str]]:
    """Return when something was asked for that nobody grants, and what was told."""
    memory, asked, told = Memory(), [], []
    for second in range(seconds):
        done = memory.after(wants, (), at=later(second), group_id=GROUP)
        memory = done.memory
        asked += [second for _ in done.commands]
        told += [event.message for event in done.events]
    return asked, told


@pytest.mark.parametrize("want", [*WANTS, CHANGE])
def test_it_is_asked_again_after_a_while_and_then_told(want: Want) -> None:
    asked, told = asked_in(60, (want,))
    assert asked == [0, LONG, 2 * LONG][:TRIES]
    assert told == [f"asked {TRIES} times in vain: {want.key}; look at it"]


def test_a_cancel_goes_on_slowly_and_is_told_once() -> None:
    asked, told = asked_in(200, WANTS)
    last = asked[TRIES - 1]
    assert asked[TRIES:] == [last + SLOWLY.total_seconds() * more for more in (1, 2, 3)]
    assert len(told) == 1


def test_a_change_is_not_asked_for_for_ever() -> None:
    assert len(asked_in(200, (CHANGE,))[0]) == TRIES


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """A group, as far as what it remembers goes."""

    memory: Memory


def test_what_never_left_was_not_asked_for() -> None:
    memory = Memory().after(WANTS, (), at=later(0), group_id=GROUP).memory
    assert memory.without(CancelOrder(order_id=OrderId("memo-1-target"))) is memory
    again = memory.without(CANCEL).after(WANTS, (), at=later(1), group_id=GROUP)
    assert again.commands == (CANCEL,)


def test_what_a_lost_link_may_have_lost_is_asked_for_on_the_next_at_once() -> None:
    told = (Word("a", "it is so"),)
    asked = Bearer(memory=Memory().after(WANTS, told, at=later(0), group_id=GROUP).memory)
    left = parted(asked, asked.memory)
    again = left.memory.after(WANTS, told, at=later(1), group_id=GROUP)
    assert again.commands == (CANCEL,)
    assert again.events == ()  # that it is so was told already
    assert parted(left, left.memory) is left


def test_a_word_is_told_once() -> None:
    words = (Word("a", "it is so"), Word("b", "it is over", is_serious=False))
    done = Memory().after((), words, at=later(0), group_id=GROUP)
    assert [(e.message, e.is_serious) for e in done.events] == [
        ("it is so", True),
        ("it is over", False),
    ]
    assert done.memory.after((), words, at=later(9), group_id=GROUP).events == ()
