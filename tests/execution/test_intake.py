"""Each piece of news once, whatever the broker repeats, reorders or corrects."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Contract, Fill, FillId, OrderId
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.intake import Intake
from ibkr_trader.execution.record import Record
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import spec, written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
AAPL = Contract(symbol="AAPL", con_id=265598)


def fill(quantity: int, *, revision: int = 1, family: str = "e.1") -> ev.FillEvent:
    return ev.FillEvent(
        at=AT,
        order_id=OrderId("memo-1-single"),
        fill=Fill(
            fill_id=FillId(family),
            revision=revision,
            order_id=OrderId("memo-1-single"),
            contract=AAPL,
            account="SIM0000001",
            side=Side.BUY,
            quantity=Decimal(quantity),
            price=Decimal(150),
            at=AT,
        ),
    )


def status(filled: int) -> ev.StatusEvent:
    return ev.StatusEvent(
        at=AT, order_id=OrderId("memo-1-single"), is_working=True, filled=Decimal(filled)
    )


class Desk:
    """An intake on a real bus and a real (memory) journal."""

    def __init__(self) -> None:
        self.bus = EventBus()
        self.journal = MemoryJournal()
        self.intake = Intake(Record(self.journal, self.bus), bus=self.bus)
        self.heard: list[ev.BaseEvent] = []
        self.bus.subscribe(ev.BaseEvent, self.heard.append)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_corrections_count_once_in_any_order_and_repeated(order: Sequence[int]) -> None:
    desk = Desk()
    revisions = [fill(10, revision=1), fill(8, revision=2), fill(9, revision=3)]
    for index in (*order, *order):
        desk.intake.admit([revisions[index]])
    fills = [event for event in desk.heard if isinstance(event, ev.FillEvent)]
    assert sum(event.quantity_delta for event in fills) == 9
    assert sum(event.value_delta for event in fills) == 9 * 150


def test_fills_already_in_the_journal_are_not_news() -> None:
    desk = Desk()
    desk.intake.remember([fill(10).fill])
    desk.intake.admit([fill(10), fill(4, family="e.2")])
    assert [event.fill.fill_id for event in desk.heard if isinstance(event, ev.FillEvent)] == [
        "e.2"
    ]


def test_news_goes_on_record_by_the_name_of_now_and_is_no_news_by_either() -> None:
    """An order may be taken over while what was read of it waits."""
    bus, journal, names = EventBus(), MemoryJournal(), list[str]()
    now = OrderId("lost2-3-single")

    def named(event: ev.OrderEvent) -> ev.OrderEvent:
        names.append(event.order_id)
        return msgspec.structs.replace(event, order_id=now)

    intake = Intake(Record(journal, bus), bus=bus, named=named)
    drift = ev.DriftEvent(at=AT, subject="all", ours="1", theirs="2")
    intake.admit([status(4), drift, msgspec.structs.replace(status(4), order_id=now)])
    told = [message for _, message in journal.messages()]
    assert told == [msgspec.structs.replace(status(4), order_id=now), drift]
    assert names == ["memo-1-single", now]


def test_a_commission_counts_once() -> None:
    desk = Desk()
    cost = ev.CommissionEvent(
        at=AT, order_id=OrderId("memo-1-single"), fill_id="e.1", commission=Decimal(1)
    )
    desk.intake.admit([cost, cost])
    desk.intake.admit([cost])
    assert desk.heard == [cost]


def test_unbroken_repeats_of_a_status_are_dropped_and_changes_back_are_not() -> None:
    desk = Desk()
    desk.intake.admit([status(0), status(0), status(4), status(0)])
    assert desk.heard == [status(0), status(4), status(0)]


REFUSED = ev.RejectEvent(at=AT, order_id=OrderId("memo-1-single"), code=201, reason="no margin")
HELD = ev.HoldEvent(at=AT, order_id=OrderId("memo-1-single"), reason="halted")
WARNED = ev.WarningEvent(at=AT, order_id=OrderId("memo-1-single"), code=399, reason="later")
ASKED = ev.CancelRequestEvent(at=AT, order_id=OrderId("memo-1-single"), origin="cli")
DOUBTED = ev.UnknownEvent(at=AT, order_id=OrderId("memo-1-single"), reason="silence")


@pytest.mark.parametrize("between", [REFUSED, HELD])
def test_a_repeat_after_a_refusal_or_a_hold_is_news(between: ev.OrderEvent) -> None:
    """The order works on after all: what refused it was weak evidence."""
    desk = Desk()
    desk.intake.admit([status(0), between, status(0)])
    assert desk.heard == [status(0), between, status(0)]


def test_a_repeat_after_a_warning_is_none() -> None:
    desk = Desk()
    desk.intake.admit([status(0), WARNED, status(0)])
    assert desk.heard == [status(0), WARNED]


@pytest.mark.parametrize("between", [ASKED, DOUBTED])
def test_a_repeat_after_a_step_or_a_doubt_of_our_own_is_news(between: ev.OrderEvent) -> None:
    desk = Desk()
    desk.intake.admit([status(0)])
    desk.bus.publish(between)
    desk.intake.admit([status(0)])
    assert desk.heard == [status(0), between, status(0)]


def test_everything_is_on_record_before_anyone_hears_of_it() -> None:
    desk = Desk()
    seen: list[int] = []
    desk.bus.subscribe(ev.BaseEvent, lambda _: seen.append(len(list(desk.journal.messages()))))
    desk.intake.admit([fill(1), fill(2, family="e.2"), fill(3, family="e.3")])
    assert seen == [3, 3, 3]


async def test_a_burst_is_worked_off_in_batches() -> None:
    import asyncio

    desk = Desk()

    async def burst() -> AsyncIterator[ev.BaseEvent]:
        for number in range(1200):
            yield fill(1, family=f"e.{number}")

    worker = asyncio.create_task(desk.intake.work())  # noqa: TID251 - the test owns it
    await desk.intake.listen(burst())
    await desk.intake.drained()
    worker.cancel()
    assert len(desk.heard) == 1200


def test_what_the_picture_has_let_go_of_is_forgotten() -> None:
    """What it keeps is still told apart; of the rest nothing is left that could grow."""
    desk = Desk()
    cost = ev.CommissionEvent(
        at=AT, order_id=OrderId("memo-1-single"), fill_id="e.1", commission=Decimal(1)
    )
    alone = msgspec.structs.replace(cost, fill_id="e.9")  # its execution has not come yet
    order = written(spec())
    known: list[ev.BaseEvent] = [order, fill(10), cost, alone, status(10)]
    desk.intake.admit(known)
    picture = fold(known)
    desk.intake.keep(picture)
    desk.heard.clear()
    desk.intake.admit(known[1:])
    assert desk.heard == []
    desk.intake.keep(picture.begin_day(AT + timedelta(days=3)))
    assert (desk.intake._fills, desk.intake._commissions, desk.intake._status) == ({}, set(), {})
