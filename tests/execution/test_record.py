"""Written before it is told; and what a full disk refused is owed to it, in order."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution import record as module
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import prepare
from ibkr_trader.execution.record import Record
from ibkr_trader.risk.verdict import Denied
from tests.execution.parts import Floor, FullDisk, request
from tests.orders.samples import AT, fill, filled, spec, working, written
from tests.portfolio.stage import held

NEWS = (written(spec()), filled(fill(4)), working("memo-1-single", 4))
REPORT = ev.PositionReportEvent(at=AT, position=held(4))


class Desktop:
    """A record on a disk that can be full, and what it says of it."""

    def __init__(self) -> None:
        self.journal = FullDisk()
        self.told: list[ev.BaseEvent] = []
        self.said: list[str] = []
        bus = EventBus()
        bus.subscribe(ev.BaseEvent, self.told.append)
        self.record = Record(self.journal, bus, on_failure=self.said.append)

    @property
    def kept(self) -> list[object]:
        return [message for _, message in self.journal.messages()]


def test_what_the_disk_refused_is_told_and_owed() -> None:
    desk = Desktop()
    desk.journal.is_full = True
    desk.record.witness(NEWS[:2])
    assert desk.told == list(NEWS[:2])
    assert (desk.kept, desk.record.is_complete) == ([], False)
    assert desk.said == ["the journal cannot be written: no space left on the disk"]


def test_what_is_owed_is_written_first_when_there_is_room_again() -> None:
    desk = Desktop()
    desk.journal.is_full = True
    cancel = CancelOrder(order_id=OrderId("memo-1-single"))
    desk.record.witness(NEWS[:1])
    desk.record.attempt([cancel, NEWS[1]], is_vital=True)
    desk.journal.is_full = False
    desk.record.write(NEWS[2:])
    assert desk.kept == [NEWS[0], cancel, *NEWS[1:]]
    assert desk.told == list(NEWS), "nothing is told a second time"
    assert desk.record.is_complete
    assert desk.said[-1] == ""
    desk.record.write(NEWS[:1])
    assert desk.kept[4:] == [NEWS[0]], "and what was owed is written once"


def test_what_may_wait_is_refused_and_not_owed() -> None:
    desk = Desktop()
    desk.journal.is_full = True
    with pytest.raises(JournalError):
        desk.record.attempt(NEWS[:1], is_vital=False)
    assert (desk.told, desk.record.is_complete, desk.said) == ([], True, [])


def test_what_the_broker_restates_anyway_is_told_and_never_kept() -> None:
    desk = Desktop()
    desk.record.write([REPORT])
    desk.journal.is_full = True
    desk.record.witness([REPORT])
    assert (desk.told, desk.kept, desk.record.is_complete) == ([REPORT, REPORT], [], True)


def test_a_disk_that_stays_full_is_owed_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_OWED", 2)
    desk = Desktop()
    desk.journal.is_full = True
    for event in NEWS:
        desk.record.witness([event])
    desk.journal.is_full = False
    desk.record.write([NEWS[0]])
    assert desk.kept == [*NEWS[1:], NEWS[0]]


async def test_while_something_is_owed_nothing_is_opened() -> None:
    floor, journal = Floor(), FullDisk("k7qav")
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader)
        resting = await desk.submit_order(request(limit="140.00"))
        prepared = await prepare(trader, request(3, limit="141.00"))
        journal.is_full = True
        trader.intake.admit([filled(fill(4, "140", order_id=resting.order_id))])
        journal.is_full = False  # there is room again, and the fill is still not on record
        assert trader.outlook.view().trading_state is TradingState.REDUCING
        opening = await trader.router.route(prepared.command)
        assert isinstance(opening, Denied)
        assert "cannot be written" in " ".join(b.message for b in opening.breaches)


async def test_cancels_go_on_meanwhile_and_openings_once_all_is_on_disk() -> None:
    floor, journal = Floor(), FullDisk("k7qav")
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader)
        resting = await desk.submit_order(request(limit="140.00"))
        journal.is_full = True
        trader.intake.admit([filled(fill(4, "140", order_id=resting.order_id))])
        cancelled = await desk.cancel_order(resting.order_id)
        assert cancelled.status is OrderStatus.CANCELLED
        assert not trader.record.is_complete
        journal.is_full = False
        trader.record.write([ev.ErrorEvent(at=floor.clock.now(), code=0, message="room again")])
        assert trader.record.is_complete
        assert trader.outlook.view().trading_state is TradingState.ACTIVE
        assert (await desk.submit_order(request(3, limit="141.00"))).status is OrderStatus.SUBMITTED
    kinds = [type(message).__name__ for _, message in journal.messages()]
    assert kinds.index("FillEvent") < kinds.index("CancelOrder") < kinds.index("ErrorEvent")


def test_each_record_is_timed_once_it_is_on_disk() -> None:
    desk, seconds = Desktop(), iter([1.0, 1.25, 3.0, 4.0])
    took: list[float] = []
    desk.record.timed(lambda: next(seconds), took.append)
    desk.record.write(NEWS[:1])
    desk.record.write([REPORT])  # is not kept, so nothing takes time
    assert took == [0.25]
    desk.journal.is_full = True
    desk.record.witness(NEWS[1:2])
    assert took == [0.25], "what is not on disk has not been written in any time"
    assert desk.told == [NEWS[0], REPORT, NEWS[1]]
