"""The OCO group: what it is made of, what a restart knows of it, and any order of its news."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.codec import decode_command, encode
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import OcaType, OrderStatus
from ibkr_trader.core.models import Quote
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.orders.oco_legs import Legs, OnRace
from ibkr_trader.orders.oco_orders import KIND, OCO
from ibkr_trader.orders.oco_policy import is_race, surplus
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.oco_stage import (
    BUY,
    SELL,
    STOP,
    TARGET,
    Play,
    cancelled,
    entries,
    exits,
    leg,
    setting,
    stop_leg,
    traded,
    wish,
)
from tests.orders.samples import AAPL, AT, GROUP, later, working, written
from tests.orders.test_lifecycle_permutations import Scene, charged, ends, ledger

if TYPE_CHECKING:
    from ibkr_trader.orders.oco_orders import OCOOrderRequest


def test_what_a_person_should_know() -> None:
    assert entries().group(setting()).notes == (
        "Entries: they end nothing that is held. A trade cancels the others, at IBKR.",
    )
    assert exits().group(setting(10)).notes == (
        "Exits of what is held (SELL): a trade reduces the others, at IBKR.",
    )
    several = msgspec.structs.replace(
        exits(),
        order_a=leg(exits().order_a.side, "155", 4),
        more=(leg(exits().order_a.side, "160", 3),),
    )
    notes = several.group(setting(10)).notes
    assert notes[1:] == (
        "IBKR reduces pro rata: so each target has as much of a stop beside it.",
        "3 of the stop stand alone: nothing is beside them.",
    )
    assert all(len(note) <= 80 for note in notes)
    assert several.symbol == "AAPL"


def test_its_orders_and_its_plan_are_all_that_a_restart_needs() -> None:
    asked = msgspec.structs.replace(exits(), on_race=OnRace.KEEP, oca_type=OcaType.CANCEL)
    group = asked.group(setting(10))
    command = group.open()
    assert command.kind == KIND
    again = decode_command(encode(command))
    assert again == command
    assert ORDER_TYPES[KIND](GROUP, command.orders, command.plan) == group
    assert (group.legs, group.oca_type, group.on_race) == (
        Legs.EXITS,
        OcaType.CANCEL,
        OnRace.KEEP,
    )


def test_a_restart_knows_the_closing_order_and_makes_no_other() -> None:
    play = Play(entries())
    play.hear(traded(BUY), traded(SELL, 4), cancelled(SELL))
    (command,) = play.pass_to(2)
    assert isinstance(command, SubmitOrders)
    (closing,) = command.orders
    specs = (*play.group.open().orders, closing)
    group = OCO.opened(GROUP, specs, play.group.plan)
    assert group.closing is None
    history: list[ev.BaseEvent] = [written(one, kind=KIND) for one in specs[:2]]
    history += [traded(BUY), traded(SELL, 4), cancelled(SELL), written(closing, kind=KIND)]
    for event in history:
        group = after(group, event)
    assert group.closing is not None
    assert group.react(ev.TimeEvent(at=later(30))).commands == ()


def test_news_of_others_changes_nothing() -> None:
    play = Play(entries())
    before = play.group
    quote = Quote(contract=AAPL, at=AT)
    play.hear(
        ev.PriceEvent(at=later(60), contract=AAPL, quote=quote),
        working("memo-2-entry"),
        ev.SyncEvent(at=AT, epoch=1),
        ev.DisconnectEvent(at=AT, epoch=1, reason="gone"),
    )
    assert play.group is before


def test_what_could_not_be_sent_is_asked_for_again() -> None:
    play = Play(entries())
    (command,) = play.hear(traded(BUY))
    assert play.pass_to(0.5) == []
    play.group = play.group.unsent(command)
    assert play.pass_to(0.6) == [command]
    other = CancelOrder(order_id=BUY)
    assert play.group.unsent(other).memory is play.group.memory


def test_a_wish_is_not_one_of_the_brokers() -> None:
    for origin in ("broker", "recovery", "oco"):
        play = Play(entries())
        play.hear(wish(SELL, origin))
        assert play.group.waived == frozenset()
    play = Play(entries())
    play.hear(wish(SELL, "guardian"))
    assert play.group.waived == {SELL}


# -- any order of the callbacks --------------------------------------------------------------


def after(group: OCO, event: ev.BaseEvent) -> OCO:
    changed = group.react(event).group
    assert isinstance(changed, OCO)
    return changed


def standing(group: OCO) -> object:
    """What a group has come to, without the words and the moments on the way."""
    group = after(group, ev.TimeEvent(at=later(60)))
    orders = {
        order_id: (order.status, order.filled, order.reported_filled)
        for order_id, order in group.orders.items()
    }
    fresh = msgspec.structs.replace(group, memory=type(group.memory)())
    wants = fresh.react(ev.TimeEvent(at=later(120))).commands
    return orders, is_race(group), surplus(group), wants


def partial(order_id: object, quantity: int) -> ev.StatusEvent:
    return working(str(order_id), quantity)


STORIES = {
    "one trades in two parts, the other is cancelled": (
        entries(),
        0,
        (
            traded(BUY, 4, key="a"),
            traded(BUY, 6, key="b"),
            partial(BUY, 4),
            ev.DoneEvent(at=AT, order_id=BUY, filled=traded(BUY, 10).fill.quantity),
            cancelled(SELL),
        ),
    ),
    "both trade": (
        entries(),
        0,
        (
            traded(BUY, 10, key="a"),
            traded(SELL, 4, key="b"),
            partial(SELL, 4),
            cancelled(SELL),
            ev.DoneEvent(at=AT, order_id=BUY, filled=traded(BUY, 10).fill.quantity),
        ),
    ),
    "the target trades in part, the stop the rest": (
        exits(),
        10,
        (
            traded(TARGET, 4, key="a"),
            traded(STOP, 6, key="b"),
            partial(TARGET, 4),
            partial(STOP, 6),
            cancelled(TARGET),
        ),
    ),
    "the exits trade too much": (
        exits(),
        10,
        (
            traded(TARGET, 10, key="a"),
            traded(STOP, 3, key="b"),
            partial(STOP, 3),
            cancelled(STOP),
            ev.DoneEvent(at=AT, order_id=TARGET, filled=traded(BUY, 10).fill.quantity),
        ),
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_any_order_of_the_callbacks_comes_to_the_same(story: str) -> None:
    """Every order of six callbacks, any one of them told twice, to the group and to the ledger."""
    asked, held, callbacks = STORIES[story]
    group = Play(asked, held).group
    portfolio = PortfolioState()
    for order in group.orders.values():
        portfolio = portfolio.apply(written(order.spec, kind=KIND))
    first = next(event for event in callbacks if isinstance(event, ev.FillEvent))
    found = []
    for scene in ends(Scene(portfolio, group), (*callbacks, charged(first))):
        assert isinstance(scene.group, OCO)
        end = (standing(scene.group), ledger(scene))
        if end not in found:
            found.append(end)
    assert len(found) == 1, found


def test_a_request_is_plain_data() -> None:
    asked: OCOOrderRequest = exits()
    stop = stop_leg(asked.order_a.side, "145")
    assert asked.legs == (asked.order_a, stop)
    assert asked.group(setting(10)).orders[STOP].status is OrderStatus.PENDING
