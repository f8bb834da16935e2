"""What a closing does not wait for: an entry that the broker has never shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.models import GroupId, Order, OrderSpec
from ibkr_trader.orders.closing import Closing, ClosingStep
from tests.orders.samples import AAPL, ACCOUNT, bracket_specs, spec

S = OrderStatus
CLOSING = Closing(group_id=GroupId("memo-9"), contract=AAPL, account=ACCOUNT)
LONG = Decimal(10)


def names(step: ClosingStep) -> list[str]:
    return [c.order_id for c in step.commands if isinstance(c, CancelOrder)]


def second(role: OrderRole, **more: Any) -> OrderSpec:
    return spec(role, group=GroupId("memo-2"), **more)


def lost(terms: OrderSpec, *, perm_id: int = 0) -> Order:
    return Order(spec=terms, status=S.UNKNOWN, perm_id=perm_id)


def held_under_a_stop() -> list[Order]:
    entry, _, stop = bracket_specs()
    return [Order(spec=entry, status=S.FILLED, filled=LONG), Order(spec=stop, status=S.SUBMITTED)]


def asked_away(*doubtful: Order, held: Decimal = LONG) -> Closing:
    """Return the closing that has asked for their cancels, which came to nothing."""
    step = CLOSING.step(held, [*held_under_a_stop(), *doubtful])
    assert set(names(step)) == {order.order_id for order in doubtful}, "the stop stays meanwhile"
    return step.closing


def test_an_entry_that_was_lost_is_asked_away_and_not_waited_for() -> None:
    entry = lost(second(OrderRole.ENTRY))
    closing = asked_away(entry)
    step = closing.step(LONG, [*held_under_a_stop(), entry])
    assert names(step) == ["memo-1-stop"]
    held, stop = held_under_a_stop()
    over = Order(spec=stop.spec, status=S.CANCELLED)
    (command,) = step.closing.step(LONG, [held, over, entry]).commands
    assert isinstance(command, SubmitOrders)
    assert command.orders[0].quantity == LONG


def test_nor_are_the_exits_that_were_lost_with_it() -> None:
    """They could only end what it has added."""
    entry = lost(second(OrderRole.ENTRY))
    target = lost(second(OrderRole.TARGET, side=Side.SELL, parent_id=entry.order_id))
    closing = asked_away(entry, target)
    assert names(closing.step(LONG, [*held_under_a_stop(), entry, target])) == ["memo-1-stop"]


@pytest.mark.parametrize(
    "doubtful",
    [
        lost(second(OrderRole.ENTRY), perm_id=7),
        lost(second(OrderRole.ENTRY, side=Side.SELL)),
        lost(second(OrderRole.TARGET, side=Side.SELL)),
    ],
    ids=["the broker has had it", "it would end the position", "an exit of what is held"],
)
def test_what_could_trade_against_the_close_is_waited_for(doubtful: Order) -> None:
    step = asked_away(doubtful).step(LONG, [*held_under_a_stop(), doubtful])
    assert (step.commands, step.waiting_for) == ((), (doubtful.order_id,))


def test_once_all_is_closed_it_is_waited_for_and_what_it_adds_is_closed_too() -> None:
    entry = lost(second(OrderRole.ENTRY))
    closing = asked_away(entry)
    flat = closing.step(Decimal(0), [entry])
    assert (flat.commands, flat.waiting_for, flat.is_over) == ((), (entry.order_id,), False)
    (command,) = closing.step(Decimal(5), [entry]).commands
    assert isinstance(command, SubmitOrders)
    assert command.orders[0].quantity == 5


def test_who_takes_it_up_again_asks_again_first() -> None:
    entry = lost(second(OrderRole.ENTRY))
    step = asked_away(entry).step(LONG, [*held_under_a_stop(), entry])
    anew = Closing(group_id=step.closing.group_id, contract=AAPL, account=ACCOUNT)
    assert names(anew.step(LONG, [*held_under_a_stop(), entry])) == [entry.order_id]
