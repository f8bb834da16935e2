"""Who hears of what, what is asked for while the link is down, and a group that fails."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import (
    Contract,
    ContractDetails,
    GroupId,
    OrderId,
    Quote,
    Session,
)
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.group_runner import GroupRunner
from ibkr_trader.execution.record import Record
from ibkr_trader.orders.group import ORDER_TYPES, Step
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.risk.verdict import Approved, Denied
from tests.orders.samples import AAPL, AT, MSFT, later, spec

if TYPE_CHECKING:
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.orders.group import OrderGroup
    from ibkr_trader.risk.verdict import Verdict

ONE, TWO = GroupId("memo-1"), GroupId("memo-2")


def stop(group_id: GroupId) -> OrderId:
    return OrderId(f"{group_id}-stop")


class Watcher(msgspec.Struct, frozen=True, kw_only=True):
    """A group that moves its stop at every price and notes what it hears."""

    group_id: GroupId
    heard: tuple[str, ...] = ()
    forgotten: int = 0
    contract: Contract = AAPL
    outside_rth: bool = False
    is_at_rest: bool = False

    @property
    def is_closed(self) -> bool:
        return "CancelEvent" in self.heard

    @property
    def follows(self) -> frozenset[Contract]:
        return frozenset({self.contract})

    def open(self) -> SubmitOrders:
        return SubmitOrders(group_id=self.group_id, orders=())

    def react(self, event: BaseEvent) -> Step:
        group = msgspec.structs.replace(self, heard=(*self.heard, type(event).__name__))
        if isinstance(event, ev.HoldEvent):  # a bug, as any
            raise LookupError("a bug")  # noqa: TRY004 - it is no check of a type
        if not isinstance(event, ev.PriceEvent):
            return Step(group, is_at_rest=self.is_at_rest)
        price = event.quote.bid
        return Step(group, (ModifyOrder(order_id=stop(self.group_id), stop_price=price),))

    def unsent(self, _: Command, /) -> OrderGroup:
        return msgspec.structs.replace(self, forgotten=self.forgotten + 1)


class Deaf(msgspec.Struct, frozen=True, kw_only=True):
    """A group that follows no market and cannot forget, and cancels when time passes."""

    group_id: GroupId
    heard: tuple[str, ...] = ()
    is_closed: bool = False

    def open(self) -> SubmitOrders:
        return SubmitOrders(group_id=self.group_id, orders=())

    def react(self, event: BaseEvent) -> Step:
        group = msgspec.structs.replace(self, heard=(*self.heard, type(event).__name__))
        if not isinstance(event, ev.TimeEvent):
            return Step(group)
        return Step(group, (CancelOrder(order_id=stop(self.group_id)),))


class Stage:
    """A runner without a broker: what it would route is in its queue."""

    def __init__(self, *, is_synced: bool = True) -> None:
        self.bus = EventBus()
        self.said: list[str] = []
        self.bus.subscribe(ev.GroupEvent, lambda event: self.said.append(event.message))
        self.router = Router()
        self.runner = GroupRunner(
            bus=self.bus,
            record=Record(MemoryJournal("memo"), self.bus),
            router=self.router,  # type: ignore[arg-type]
            clock=self,  # type: ignore[arg-type]
            portfolio=PortfolioState,
            details=lambda _: self.details,
        )
        if is_synced:
            self.bus.publish(ev.ConnectEvent(at=AT, epoch=1))
            self.bus.publish(ev.SyncEvent(at=AT, epoch=1))

    details: ContractDetails | None = None

    def now(self) -> object:
        return AT

    def add(self, *groups: OrderGroup) -> None:
        for group in groups:
            self.runner.add(group, (stop(group.group_id),))

    def price(self, bid: int, *, at: float = 0, contract: Contract = AAPL) -> None:
        quote = Quote(contract=contract, at=later(at), bid=Decimal(bid))
        self.bus.publish(ev.PriceEvent(at=later(at), contract=contract, quote=quote))

    def group(self, group_id: GroupId = ONE) -> Watcher:
        found = self.runner.get(group_id)
        assert isinstance(found, Watcher)
        return found

    def asked(self) -> list[Command]:
        return [command for _, command in self.runner._commands._waiting]


class Router:
    """Denies what it is told to, and cannot be reached when it is told so."""

    answer: Verdict | None = None
    is_gone = False

    async def route(self, command: Command) -> Verdict:
        if self.is_gone:
            raise BrokerUnavailable("gone")
        return self.answer or Approved(command=command, at=AT, reduces=True)


def test_a_price_is_heard_by_those_that_follow_it() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE), Deaf(group_id=TWO))
    assert stage.runner.followed == {AAPL}
    stage.price(150)
    stage.price(400, contract=MSFT)
    assert stage.group().heard == ("PriceEvent",)
    deaf = stage.runner.get(TWO)
    assert isinstance(deaf, Deaf)
    assert deaf.heard == ()
    stage.bus.publish(ev.CancelEvent(at=AT, order_id=stop(ONE)))
    assert stage.runner.followed == frozenset()
    stage.price(151, at=5)
    assert len(stage.asked()) == 1


def test_outside_its_hours_a_market_is_not_followed() -> None:
    """A stop that cannot fire at night must not be raised by a price of the night."""
    stage = Stage()
    stage.add(Watcher(group_id=ONE), Watcher(group_id=TWO, outside_rth=True))
    regular = Session(opens=later(10), closes=later(20))
    extended = Session(opens=later(5), closes=later(25))
    stage.details = ContractDetails(
        contract=AAPL, liquid_sessions=(regular,), trading_sessions=(extended,)
    )
    for second in (0, 9, 19.9, 20, 25):
        stage.price(150, at=second)
    assert stage.group(ONE).heard == ("PriceEvent",)
    assert len(stage.group(TWO).heard) == 3
    stage.details = ContractDetails(contract=AAPL)
    stage.price(150, at=30)
    assert len(stage.group(ONE).heard) == 2


def test_only_the_newest_change_waits() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE))
    for second in range(5):
        stage.price(150 + second, at=second)
    assert stage.asked() == [ModifyOrder(order_id=stop(ONE), stop_price=Decimal(154))]


def test_all_that_follow_a_contract_together_move_once_a_second() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE), Watcher(group_id=TWO))
    stage.price(150)
    assert [c.order_id for c in stage.asked() if isinstance(c, ModifyOrder)] == [stop(ONE)]
    assert (stage.group(ONE).forgotten, stage.group(TWO).forgotten) == (0, 1)
    stage.price(151, at=0.9)
    assert (stage.group(ONE).forgotten, stage.group(TWO).forgotten) == (1, 2)
    stage.price(152, at=1)  # the one that had to wait is the first now
    assert stage.asked()[1] == ModifyOrder(order_id=stop(TWO), stop_price=Decimal(152))
    stage.price(153, at=-3600)  # a clock that was set back stops nobody
    assert stage.asked()[0] == ModifyOrder(order_id=stop(ONE), stop_price=Decimal(153))


def test_a_group_at_rest_hears_of_time_once_something_else_has_happened() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE, is_at_rest=True), Watcher(group_id=TWO))
    for _ in range(3):
        stage.runner._beat(AT)
    assert stage.group(TWO).heard == ("TimeEvent",) * 3
    assert stage.group(ONE).heard == ("TimeEvent",)  # only the first told that it rests
    stage.price(150)  # what it asks for then may have to be asked for again
    stage.runner._beat(AT)
    assert stage.group(ONE).heard == ("TimeEvent", "PriceEvent", "TimeEvent")


async def test_a_group_at_rest_hears_of_time_when_what_it_asked_for_never_left() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE, is_at_rest=True))
    stage.runner._beat(AT)
    stage.router.is_gone = True
    await stage.runner._carry_out(ONE, CancelOrder(order_id=stop(ONE)))
    stage.runner._beat(AT)
    assert stage.group(ONE).heard == ("TimeEvent", "TimeEvent")


def test_while_the_link_is_down_nothing_is_asked_for() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE), Deaf(group_id=TWO))
    stage.bus.publish(ev.DisconnectEvent(at=AT, epoch=1, reason="gone"))
    stage.price(150)
    stage.runner._beat(AT)
    assert stage.asked() == []
    assert stage.group().heard == ("DisconnectEvent",)
    stage.bus.publish(ev.ConnectEvent(at=AT, epoch=2))
    stage.price(150)
    assert stage.asked() == []
    stage.bus.publish(ev.SyncEvent(at=AT, epoch=2))
    assert stage.asked() == [CancelOrder(order_id=stop(TWO))]  # at once: it is overdue
    stage.price(150)
    assert len(stage.asked()) == 2


def test_each_group_hears_that_what_it_asked_for_may_be_lost_with_the_link() -> None:
    stage = Stage()
    stage.add(Deaf(group_id=TWO))
    stage.bus.publish(ev.DisconnectEvent(at=AT, epoch=1, reason="gone"))
    found = stage.runner.get(TWO)
    assert isinstance(found, Deaf)
    assert found.heard == ("DisconnectEvent",)
    assert stage.asked() == []


def test_a_snapshot_may_overtake_the_news_of_its_link() -> None:
    stage = Stage(is_synced=False)
    stage.add(Watcher(group_id=ONE))
    stage.bus.publish(ev.SyncEvent(at=AT, epoch=1))
    stage.bus.publish(ev.ConnectEvent(at=AT, epoch=1))
    stage.bus.publish(ev.ErrorEvent(at=AT, code=1, message=""))
    stage.price(150)
    assert len(stage.asked()) == 1


def test_before_the_first_snapshot_a_group_hears_of_its_orders_and_asks_for_nothing() -> None:
    stage = Stage(is_synced=False)
    group = Eager(group_id=ONE)
    stage.add(group)
    stage.bus.publish(ev.CancelEvent(at=AT, order_id=stop(ONE)))
    assert stage.asked() == []
    found = stage.runner.get(ONE)
    assert isinstance(found, Eager)
    assert found.forgotten == 1


class Eager(msgspec.Struct, frozen=True, kw_only=True):
    """A group that asks for something at whatever it hears."""

    group_id: GroupId
    forgotten: int = 0
    is_closed: bool = False

    def open(self) -> SubmitOrders:
        return SubmitOrders(group_id=self.group_id, orders=())

    def react(self, _: BaseEvent) -> Step:
        return Step(self, (CancelOrder(order_id=stop(self.group_id)),))

    def unsent(self, _: Command, /) -> OrderGroup:
        return msgspec.structs.replace(self, forgotten=self.forgotten + 1)


def test_what_is_undone_after_a_restart_is_asked_for_at_once() -> None:
    stage = Stage(is_synced=False)
    stage.add(Eager(group_id=ONE))
    stage.runner.restore([ev.CancelEvent(at=AT, order_id=stop(ONE))])
    found = stage.runner.get(ONE)
    assert isinstance(found, Eager)
    assert (stage.asked(), found.forgotten) == ([], 1)
    stage.bus.publish(ev.SyncEvent(at=AT, epoch=1))
    assert len(stage.asked()) == 1


async def test_a_denial_is_said() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE))
    command = CancelOrder(order_id=stop(ONE))
    breach = ev.Breach(check="tick", message="not a multiple")
    stage.router.answer = Denied(command=command, at=AT, breaches=(breach,))
    await stage.runner._carry_out(ONE, command)
    said = f"the cancel of {short_id(stop(ONE))} was denied: not a multiple"
    assert stage.said == [
        f"{said}; nothing was sent; ibkr-trader reconcile shows what is left to do"
    ]


async def test_what_could_not_be_sent_is_said_and_asked_for_again() -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE))
    stage.router.is_gone = True
    await stage.runner._carry_out(ONE, CancelOrder(order_id=stop(ONE)))
    assert stage.said == [f"the cancel of {short_id(stop(ONE))} was not sent: gone"]
    assert stage.group().forgotten == 1


async def test_what_could_not_be_sent_is_not_asked_for_again_in_the_same_breath() -> None:
    """A group whose two changes wake each other would keep the loss of the link from being told."""
    stage = Stage()
    stage.add(Watcher(group_id=ONE), Watcher(group_id=TWO, contract=MSFT))
    stage.router.is_gone = True
    await stage.runner._carry_out(ONE, CancelOrder(order_id=stop(ONE)))
    stage.price(150)
    assert stage.asked() == []
    stage.price(400, contract=MSFT)  # of another group, it is
    assert len(stage.asked()) == 1
    stage.bus.publish(ev.SyncEvent(at=AT, epoch=1))
    stage.price(151)
    assert len(stage.asked()) == 2


# -- a group that fails ----------------------------------------------------------------------


def test_a_group_that_raises_is_fenced_off_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.add(Watcher(group_id=ONE), Watcher(group_id=TWO))
    with caplog.at_level(logging.ERROR):
        stage.bus.publish(ev.HoldEvent(at=AT, order_id=stop(ONE)))
    assert stage.runner.get(ONE) is None
    assert "its policy failed (LookupError)" in stage.said[0]
    assert "a bug" in caplog.text
    stage.price(150)
    assert stage.group(TWO).heard == ("PriceEvent",)


def test_a_group_that_cannot_be_rebuilt_is_said_once_there_is_somebody_to_hear(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(group_id: GroupId, specs: object, plan: object, /) -> OrderGroup:
        raise KeyError(group_id)

    ORDER_TYPES.register("broken")(broken)
    try:
        stage = Stage(is_synced=False)
        order = spec(OrderRole.STOP, group=ONE)
        news = ev.NewOrderEvent(at=AT, order_id=order.order_id, spec=order, kind="broken")
        with caplog.at_level(logging.ERROR):
            stage.runner.restore([news])
    finally:
        del ORDER_TYPES._parts["broken"]
    assert stage.said == []
    stage.bus.publish(ev.SyncEvent(at=AT, epoch=1))
    assert "it cannot be rebuilt (KeyError)" in stage.said[0]
