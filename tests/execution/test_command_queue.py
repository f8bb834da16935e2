"""What groups ask for waits in line, and only the newest change of an order counts."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.execution.command_queue import CommandQueue

GROUP = GroupId("memo-1")
STOP, TARGET = OrderId("memo-1-stop"), OrderId("memo-1-target")


def move(to: int, order_id: OrderId = STOP) -> ModifyOrder:
    return ModifyOrder(order_id=order_id, stop_price=Decimal(to))


async def taken(queue: CommandQueue, *commands: Command) -> list[Command]:
    for command in commands:
        queue.put(GROUP, command)
    found = []
    async with asyncio.timeout(5):
        while not queue.is_empty:
            found.append((await queue.get())[1])
            queue.done()
        await queue.join()
    return found


async def test_first_in_first_out() -> None:
    submit = SubmitOrders(group_id=GROUP, orders=())
    commands = (move(1), submit, CancelOrder(order_id=TARGET), submit)
    assert await taken(CommandQueue(), *commands) == list(commands)


async def test_a_newer_change_takes_the_place_of_the_one_that_waits() -> None:
    other = move(1, TARGET)
    assert await taken(CommandQueue(), move(1), other, move(2), move(3)) == [move(3), other]


async def test_what_the_newer_change_leaves_as_it_is_comes_from_the_older() -> None:
    smaller = ModifyOrder(order_id=STOP, quantity=Decimal(6), origin="oco")
    both = ModifyOrder(order_id=STOP, quantity=Decimal(6), stop_price=Decimal(2))
    assert await taken(CommandQueue(), smaller, move(2)) == [both]


async def test_a_cancel_is_never_dropped_and_makes_a_change_needless() -> None:
    cancel = CancelOrder(order_id=STOP)
    kept = move(1, TARGET)
    assert await taken(CommandQueue(), move(1), kept, cancel, cancel) == [kept, cancel, cancel]


async def test_a_change_that_was_taken_already_is_not_superseded() -> None:
    queue = CommandQueue()
    queue.put(GROUP, move(1))
    assert await queue.get() == (GROUP, move(1))
    queue.put(GROUP, move(2))
    queue.done()
    assert not queue.is_empty
    assert await taken(queue) == [move(2)]


async def test_a_change_that_takes_up_a_needed_one_is_cosmetic_no_more() -> None:
    size = ModifyOrder(order_id=STOP, quantity=Decimal(5))
    cosmetic = ModifyOrder(order_id=STOP, stop_price=Decimal(2), is_cosmetic=True)
    (both,) = await taken(CommandQueue(), size, cosmetic)
    assert both == ModifyOrder(order_id=STOP, quantity=Decimal(5), stop_price=Decimal(2))
    (newest,) = await taken(CommandQueue(), cosmetic, cosmetic)
    assert newest == cosmetic


async def test_who_waits_is_woken() -> None:
    queue = CommandQueue()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(queue.get())
        await asyncio.sleep(0)
        queue.put(GROUP, move(1))
        assert await task == (GROUP, move(1))
        joined = tasks.create_task(queue.join())
        await asyncio.sleep(0)
        assert not joined.done()
        queue.done()
