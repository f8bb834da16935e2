"""Two strategies, a person and a stranger on one account, event by event."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.ids import make_group_id, make_order_id
from ibkr_trader.core.models import Contract, OrderId, Quote
from ibkr_trader.core.origins import rule_origin
from ibkr_trader.core.tallies import Traffic
from ibkr_trader.portfolio import message_count
from ibkr_trader.portfolio.exposure import ExposureIndex
from ibkr_trader.portfolio.pnl import DayPnl
from ibkr_trader.portfolio.state import PortfolioState
from ibkr_trader.portfolio.strategy_accounts import StrategyAccounts
from ibkr_trader.portfolio.strategy_book import StrategyBook
from tests.orders.samples import AAPL, ACCOUNT, AT, MSFT, accepted, fill, later, spec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ibkr_trader.core.models import Fill, GroupId, Order, OrderSpec

D = Decimal
DAY = AT - timedelta(hours=15)  # midnight
ALPHA, BETA, PERSON, STRANGER = "alpha", "beta", "", "stranger"
ORIGINS = {ALPHA: rule_origin(ALPHA, "r"), BETA: rule_origin(BETA, "r"), PERSON: "cli"}


class Desk:
    """What one process knows: a fold over events."""

    def __init__(self, history: Iterable[ev.BaseEvent] = ()) -> None:
        self.portfolio = PortfolioState()
        self.book = StrategyBook()
        self.traffic = Traffic(since=DAY)
        self.exposure = ExposureIndex.of(self.portfolio)
        self.pnl = DayPnl()
        self.forgotten: datetime | None = None
        for event in history:
            self.hear(event)

    def hear(self, event: ev.BaseEvent) -> None:
        self.portfolio = self.portfolio.apply(event)
        self.book = self.book.after(event, self.portfolio, begins=DAY)
        if isinstance(event, ev.OrderEvent):
            order = self.portfolio.order(event.order_id)
            told = event.fill if isinstance(event, ev.FillEvent) else None
            is_first = told is not None and order is not None and order.filled == told.quantity
            self.traffic = message_count.after(
                self.traffic, event, day_start=DAY, is_first=is_first
            )
        self.exposure = self.exposure.follow(self.portfolio)
        self.pnl = self.pnl.follow(self.portfolio, DAY)

    def forget(self, moment: datetime) -> None:
        """Let go of what was before `moment`, as a desk that stays does."""
        self.forgotten = max(moment, self.forgotten or moment)
        self.portfolio = self.portfolio.begin_day(moment)
        self.book = self.book.forgetting(self.portfolio)
        self.exposure = self.exposure.follow(self.portfolio)
        self.pnl = self.pnl.follow(self.portfolio, DAY)

    @property
    def accounts(self) -> StrategyAccounts:
        return StrategyAccounts(self.book, self.portfolio, self.exposure, self.pnl)

    def owner(self, contract: Contract = AAPL) -> str | None:
        return self.book.owner(self.portfolio, contract.con_id)

    def checkpoint(self) -> ev.CheckpointEvent:
        """What a restart reads from, as `Recovery.checkpoint` writes it."""
        now = self.portfolio
        return ev.CheckpointEvent(
            at=AT,
            live=tuple(now.orders),
            fills=tuple(now.fills.values()),
            positions=tuple(now.positions.values()),
            bases=tuple(b.base for b in now.books.values() if b.base.quantity and b.fills),
            closings=tuple(now.closings.values()),
            synced_at=now.synced_at,
            strategy_days=self.book.forgetting(now).kept,
        )


class Play(Desk):
    """A desk, and those who trade at it; every event is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[ev.BaseEvent] = []
        self._groups = 0
        self._fills = 0
        self.clock = 0

    def tell(self, event: ev.BaseEvent) -> None:
        self.events.append(event)
        self.hear(event)

    @property
    def now(self) -> datetime:
        self.clock += 1
        return later(self.clock)

    def new_group(self) -> GroupId:
        self._groups += 1
        return make_group_id("memo", self._groups)

    def enter(
        self,
        who: str,
        size: int = 10,
        side: Side = Side.BUY,
        *,
        contract: Contract = AAPL,
        group: GroupId | None = None,
        **terms: Any,
    ) -> OrderId:
        """Send an entry with a stop, and return the entry."""
        fresh = group is None
        group = group or self.new_group()
        copy = 1 if fresh else 2
        shared: dict[str, Any] = {"group": group, "contract": contract, "quantity": D(size)}
        entry = spec(
            OrderRole.ENTRY,
            order_id=make_order_id(group, OrderRole.ENTRY, copy=copy),
            side=side,
            **shared,
            **terms,
        )
        self.send(entry, ORIGINS[who])
        if fresh:
            stop = spec(
                OrderRole.STOP,
                side=side.opposite,
                order_type=OrderType.STOP,
                limit_price=None,
                stop_price=D(140) if side is Side.BUY else D(160),
                parent_id=entry.order_id,
                **shared,
            )
            self.send(stop, ORIGINS[who])
        return entry.order_id

    def send(self, what: OrderSpec, origin: str, *, reduces: bool = False) -> None:
        at = self.now
        self.tell(
            ev.NewOrderEvent(
                at=at, order_id=what.order_id, spec=what, origin=origin, reduces=reduces
            )
        )
        self.tell(accepted(what, at=at))

    def fill(self, order_id: OrderId, size: int, price: str = "150", **more: Any) -> Fill:
        order = self.portfolio.order(order_id)
        assert order is not None
        self._fills += 1
        told = fill(
            size,
            price,
            key=f"e{self._fills:04}",
            side=order.spec.side,
            order_id=order_id,
            contract=order.spec.contract,
            at=more.pop("at", None) or self.now,
            **more,
        )
        self.tell(ev.FillEvent(at=told.at, order_id=order_id, fill=told))
        return told

    def strange_fill(self, size: int, side: Side, contract: Contract = AAPL) -> None:
        """An execution of an order that nobody here knows."""
        self._fills += 1
        at = self.now
        told = fill(
            size,
            key=f"e{self._fills:04}",
            side=side,
            order_id="foreign-7-1",
            contract=contract,
            at=at,
        )
        self.tell(ev.FillEvent(at=at, order_id=told.order_id, fill=told))

    def strange_order(self, side: Side = Side.BUY, contract: Contract = AAPL) -> OrderId:
        order_id = OrderId(f"foreign-7-{self.clock}")
        what = spec(order_id=order_id, side=side, contract=contract)
        self.tell(accepted(what, at=self.now, is_foreign=True))
        return order_id

    def correct(self, told: Fill, size: int, price: str) -> None:
        known = self.portfolio.fills[told.fill_id]
        better = msgspec.structs.replace(
            known, revision=known.revision + 1, quantity=D(size), price=D(price)
        )
        self.tell(ev.FillEvent(at=self.now, order_id=told.order_id, fill=better, replaces=known))

    def charge(self, told: Fill, amount: str) -> None:
        self.tell(
            ev.CommissionEvent(
                at=self.now, order_id=told.order_id, fill_id=told.fill_id, commission=D(amount)
            )
        )

    def cancel(self, order_id: OrderId, origin: str = "cli", *, alone: bool = False) -> None:
        """Take an order back, and what hangs from it, as the broker does."""
        at = self.now
        for child in () if alone else self.portfolio.children.get(order_id, ()):
            if not self.portfolio.orders[order_id].filled:
                self.tell(ev.CancelEvent(at=at, order_id=child))
        self.tell(ev.CancelRequestEvent(at=at, order_id=order_id, origin=origin))
        self.tell(ev.CancelEvent(at=at, order_id=order_id))

    def modify(self, order_id: OrderId, who: str, **terms: Any) -> None:
        order = self.portfolio.orders[order_id]
        wanted = msgspec.structs.replace(order.spec, **terms)
        at = self.now
        self.tell(ev.ModifyEvent(at=at, order_id=order_id, spec=wanted, origin=ORIGINS[who]))
        self.tell(accepted(wanted, at=at))

    def close(self, who: str, contract: Contract = AAPL) -> OrderId:
        """Take back what works; return the order that ends what is held, and has yet to trade."""
        for order_id, order in tuple(self.portfolio.orders.items()):
            if order.spec.contract == contract:
                self.cancel(order_id, "close", alone=True)
        held = self.portfolio.positions[contract.con_id].quantity
        group = self.new_group()
        request = ev.CloseRequestEvent(
            at=self.now, group_id=group, contract=contract, account=ACCOUNT, origin=ORIGINS[who]
        )
        self.tell(request)
        what = spec(
            OrderRole.CLOSE,
            group=group,
            contract=contract,
            side=Side.SELL if held > 0 else Side.BUY,
            quantity=abs(held),
            order_type=OrderType.MARKET,
            limit_price=None,
        )
        self.send(what, "close", reduces=True)
        self.tell(ev.CloseEndEvent(at=self.now, group_id=group))
        return what.order_id

    def price(self, price: str, contract: Contract = AAPL, close: str | None = None) -> None:
        quote = Quote(
            contract=contract, at=AT, last=D(price), close=D(close) if close is not None else None
        )
        self.tell(ev.PriceEvent(at=later(self.clock), contract=contract, quote=quote))

    def restarted(self) -> Desk:
        """Return what another process knows that reads from a resting point of now."""
        mark = self.checkpoint()
        live = set(mark.live)
        before = [e for e in self.events if isinstance(e, ev.OrderEvent) and e.order_id in live]
        again = Desk([*before, mark])
        if self.forgotten is not None:  # executions of what still works were told anew
            again.forget(self.forgotten)
        again.traffic = self.traffic
        for con_id, price in self.portfolio.marks.items():
            contract = {AAPL.con_id: AAPL, MSFT.con_id: MSFT}[con_id]
            quote = Quote(contract=contract, at=AT, last=price)
            again.hear(ev.PriceEvent(at=AT, contract=contract, quote=quote))
        return again


def live(desk: Desk, order_id: OrderId) -> Order:
    """Return an order that can still trade."""
    return desk.portfolio.orders[order_id]
