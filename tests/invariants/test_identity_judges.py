"""S1 to S6: each judge catches the bugs planted for it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.adapters.ibkr import broker as ibkr_broker
from ibkr_trader.adapters.ibkr import order_news
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.error_codes import Kind, Rule
from ibkr_trader.adapters.ibkr.order_numbers import OrderNumbers
from ibkr_trader.adapters.ibkr.snapshot import ENDS
from ibkr_trader.core.commands import ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus, OrderType, Side
from ibkr_trader.core.errors import TraderError
from ibkr_trader.execution import scaling
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.record import Record
from ibkr_trader.execution.recovery import Recovery
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim import broker as sim_broker
from ibkr_trader.sim.broker import SimulatedBroker
from ibkr_trader.sim.gateway.fault_rules import Fault, Warn, When
from tests.adapters.journal_parts import open_journal
from tests.execution.parts import Floor
from tests.invariants import deeds
from tests.invariants.planted import (
    Planted,
    caught,
    connection_of,
    entered,
    faults,
    lost,
    plain,
    queue_data,
    resting,
    silent,
)
from tests.invariants.whole_world import WholeWorld
from tests.invariants.world import AAPL, MSFT, World
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from ibkr_trader.adapters.ibkr.requests import Question
    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.scaling import Addition
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.sim.events import SimEvent
    from ibkr_trader.sim.orders import OrderTerms

    Patch = pytest.MonkeyPatch

NOWHERE = 9999  # a code that no table has
FULL = 2  # what SQLite calls it


def sent_twice(patch: Patch) -> None:
    """Every order is sent again under another number."""
    send = SimulatedBroker.send

    async def send_twice(self: SimulatedBroker, approved: Approved) -> None:
        await send(self, approved)
        if isinstance(command := approved.command, SubmitOrders):
            specs = tuple(
                msgspec.structs.replace(spec, broker_order_id=spec.broker_order_id + 50)
                for spec in command.orders
            )
            again = msgspec.structs.replace(command, orders=specs)
            await send(self, msgspec.structs.replace(approved, command=again))

    patch.setattr(SimulatedBroker, "send", send_twice)


def changed_twice(patch: Patch) -> None:
    """Every change is sent twice, to be sure."""
    modify = SimulatedBroker._modify

    def modify_twice(self: SimulatedBroker, command: ModifyOrder) -> None:
        modify(self, command)
        modify(self, command)

    patch.setattr(SimulatedBroker, "_modify", modify_twice)


def late_writer(patch: Patch) -> None:
    """The journal is written in the background, a moment after the order has left."""
    append = Record._append

    def append_late(self: Record, messages: Sequence[Command | BaseEvent]) -> None:
        asyncio.get_running_loop().call_soon(append, self, list(messages))

    patch.setattr(Record, "_append", append_late)


def forgotten_numbers(patch: Patch) -> None:
    """Numbers begin at 1 with every order."""
    patch.setattr(
        sim_broker, "next_broker_order_ids", lambda count, **_: tuple(range(1, count + 1))
    )


def careless_lanes(patch: Patch) -> None:
    """An entry leaves whenever it may, whatever has overtaken it."""
    patch.setattr(OrderNumbers, "overtaken", lambda *_: "")


def resending_recovery(patch: Patch) -> None:
    """What nobody knows of is sent once more, as a retry does."""
    synchronize = Recovery.synchronize

    async def synchronize_and_send(self: Recovery) -> None:
        orders = self._outlook.portfolio.orders.values()
        lost = tuple(order.spec for order in orders if order.status is OrderStatus.UNKNOWN)
        await synchronize(self)
        if lost:
            command = SubmitOrders(group_id=lost[0].group_id, orders=lost)
            approved = Approved(command=command, at=self._clock.now(), reduces=True)
            await self._broker.send(approved)

    patch.setattr(Recovery, "synchronize", synchronize_and_send)


def retried_additions(patch: Patch) -> None:
    """An addition of which no good word came is made once more, under the next name."""
    add = scaling.add

    async def add_and_retry(trader: Trader, addition: Addition, **how: Any) -> tuple[Order, ...]:
        try:
            return await add(trader, addition, **how)
        except TraderError:
            spec = addition.command.orders[0]
            again = ScaleInRequest(symbol=spec.contract.symbol, quantity=spec.quantity)
            return await add(trader, await scaling.prepare_addition(trader, again), **how)

    patch.setattr(deeds, "add", add_and_retry)


def opened_beside_the_unknown(patch: Patch) -> None:
    """What nobody knows of keeps nobody from adding the same again."""
    silent(patch, "knowledge")


def asked_for_less(patch: Patch) -> None:
    """What is done is not asked for, and its absence taken for an empty answer."""
    answered = IBKRBroker._answered
    ends = tuple(end for end in ENDS if end != "completedOrdersEnd")
    patch.setattr(ibkr_broker, "ENDS", ends)

    async def ask_less(self: IBKRBroker, question: Question, frames: tuple[str, ...]) -> None:
        kept = tuple(frame for frame in frames if not frame.startswith("99\0"))
        await answered(self, question, kept)

    patch.setattr(IBKRBroker, "_answered", ask_less)


def every_code_ends_it(patch: Patch) -> None:
    """A code that nobody knows is taken for the end of the order, as the client library does."""
    ending = Rule(Kind.CANCELLED, "something is wrong")
    patch.setattr(order_news, "rule_for", lambda _: ending)


def enter_and_tighten(world: World) -> None:
    entered(world)
    (stop,) = (o for o in deeds.live(world) if o.spec.order_type is OrderType.STOP)
    deeds.tighten(world, stop)
    world.run(1)


def enter_twice(world: World) -> None:
    resting(world)
    deeds.bracket(world, MSFT, Side.BUY, 5, away=2, limit=2)
    world.run(1)


def close_while_an_entry_waits(world: World) -> None:
    """Data has used up what openings may have of this second; a close has room."""
    entered(world)
    deeds.bracket(world, MSFT, Side.BUY, 5, away=2, limit=2)  # from now on the contract is known
    world.run(2)
    queue_data(connection_of(world), 100)
    deeds.bracket(world, MSFT, Side.BUY, 6, away=2, limit=3)
    deeds.close(world, AAPL)
    world.run(15)


def lose_an_order_and_die(world: World) -> None:
    lost(world)
    world.run(6)  # by then it is UNKNOWN
    world.kill()
    world.boot()
    world.run(15)  # by then it is proven that it never arrived


def lose_an_addition(world: World) -> None:
    """Add to what is held as the link is cut, and hear that it never arrived."""
    entered(world)
    deeds.scale_in(world, AAPL, 4)
    assert isinstance(world, WholeWorld)
    world.cut_link(1, reset=True)
    world.run(15)


def add_again_what_was_lost(world: World) -> None:
    lose_an_addition(world)
    deeds.scale_in(world, AAPL, 4)
    world.run(5)


def add_beside_what_is_unknown(world: World) -> None:
    """Add again, when the first order was one that the broker's door passed on to nobody."""
    entered(world)
    assert world.trader is not None
    broker = vars(world.trader.broker)
    broker["_submit"] = lambda _: None
    deeds.scale_in(world, AAPL, 4)
    world.run(8)  # by then it is UNKNOWN, and on this link it stays so
    del broker["_submit"]
    deeds.scale_in(world, AAPL, 4)
    world.run(15)


def rest_under_an_odd_code(world: World) -> None:
    odd = Warn(code=NOWHERE, text="a word from nowhere")
    faults(world).arm(Fault(when=When(names=("placeOrder",), order="entry"), act=odd))
    resting(world)
    world.run(2)


CASES = [
    Planted("S1", sent_twice, entered),
    Planted("S1", changed_twice, enter_and_tighten),
    Planted("S2", late_writer, entered),
    Planted("S3", forgotten_numbers, enter_twice),
    Planted("S3", careless_lanes, close_while_an_entry_waits, WholeWorld),
    Planted("S4", resending_recovery, lose_an_order_and_die),
    Planted("S4", retried_additions, lose_an_addition, WholeWorld),
    Planted("S4", retried_additions, add_again_what_was_lost, WholeWorld),
    Planted("S4", opened_beside_the_unknown, add_beside_what_is_unknown),
    Planted("S5", asked_for_less, entered, WholeWorld),
    Planted("S6", every_code_ends_it, rest_under_an_odd_code, WholeWorld),
]

test_a_judge_catches_the_bug_planted_for_it = caught(CASES)
test_the_same_day_without_the_bug_breaks_nothing = plain(CASES)


# -- S2 on a disk: another process can read the record by the time that the order is there -------


async def unread_on_arrival(path: Path) -> list[str]:
    """Place a bracket with a journal on disk; return which orders came before their record."""
    floor, early = Floor(), []
    place = floor.exchange.place

    def noted(client_id: int, order_id: int, *, terms: OrderTerms, now: datetime) -> list[SimEvent]:
        with open_journal(path, read_only=True) as reader:
            known = {
                spec.order_id
                for _, message in reader.messages()
                if isinstance(message, SubmitOrders)
                for spec in message.orders
            }
        if terms.order_ref not in known:
            early.append(terms.order_ref)
        return place(client_id, order_id, terms=terms, now=now)

    vars(floor.exchange)["place"] = noted
    with open_journal(path) as journal:
        (level,) = journal._connection.execute("PRAGMA synchronous").fetchone()
        assert level == FULL  # a commit returns once the disk has it
        async with floor.trader(journal=journal) as trader:
            await Desk(trader).submit_group(bracket(limit=Decimal(146)))
    return early


async def test_s2_a_record_is_on_disk_before_its_order_leaves(tmp_path: Path) -> None:
    assert await unread_on_arrival(tmp_path / "sim" / "journal.db") == []


async def test_s2_catches_a_journal_that_is_written_later(
    tmp_path: Path, monkeypatch: Patch
) -> None:
    late_writer(monkeypatch)
    assert await unread_on_arrival(tmp_path / "sim" / "journal.db")
