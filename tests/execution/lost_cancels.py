"""Cancels that get lost on their way, and halves of groups that recovery asks away."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, SubmitOrders
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import prepare
from tests.bad_days.requests import either
from tests.execution.parts import FallibleBroker, Floor, request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.verdict import Approved


def cancels(journal: MemoryJournal, order_id: OrderId) -> int:
    """How often the cancel of an order was asked for."""
    messages = (message for _, message in journal.messages())
    return sum(isinstance(m, CancelOrder) and m.order_id == order_id for m in messages)


@contextmanager
def no_cancel_leaves(how: str) -> Iterator[None]:
    """Lose cancels: the link goes as they leave, or TWS never gets what it seemed to take."""
    send = FallibleBroker.send

    async def lose(self: FallibleBroker, approved: Approved) -> None:
        if not isinstance(approved.command, CancelOrder):
            await send(self, approved)
        elif how == "never left":
            raise BrokerUnavailable("the link is disconnected")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FallibleBroker, "send", lose)
        yield


async def next_link(trader: Trader) -> None:
    """Have the link come back, and wait until all has been asked on it."""
    assert isinstance(trader.broker, FallibleBroker)
    epoch = trader.portfolio.link.epoch
    trader.broker.open()
    assert await trader.until(lambda p: p.link.epoch > epoch or None, timeout=2)
    assert await trader.until(lambda _: trader.outlook.is_synced or None, timeout=2)
    await trader.recovery.synchronize()  # and again, as whoever asks for it on the same link


async def wished_away(trader: Trader, floor: Floor, *, by: str = "cli") -> OrderId:
    """Have somebody ask for the end of an order that works; it never arrives."""
    order = await Desk(trader).submit_order(request(limit="149.00"))
    asked = ev.CancelRequestEvent(at=floor.clock.now(), order_id=order.order_id, origin=by)
    trader.record.write([asked])
    return order.order_id


async def half_of_two(trader: Trader) -> tuple[OrderId, OrderId, Callable[[], Awaitable[None]]]:
    """Send two entries of which one is wanted; the second does not arrive until it is let."""
    prepared = await prepare(trader, either())
    kept, lost = (spec.order_id for spec in prepared.command.orders)
    send, held = FallibleBroker.send, []

    async def lose_one(self: FallibleBroker, approved: Approved) -> None:
        command = approved.command
        assert isinstance(command, SubmitOrders)
        first, second = (msgspec.structs.replace(command, orders=(one,)) for one in command.orders)
        held.append(msgspec.structs.replace(approved, command=second))
        await send(self, msgspec.structs.replace(approved, command=first))

    async def arrive() -> None:
        assert isinstance(trader.broker, FallibleBroker)
        await send(trader.broker, held[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FallibleBroker, "send", lose_one)
        await trader.router.route(prepared.command)
    return kept, lost, arrive
