"""The exchange in process, as the `Broker` port: the same commands, the same events as IBKR.

It takes only `Approved`, places what the adapter would have sent, and reports what the adapter
would have read. Time passes when `advance()` is called: by a test, a replay, or `drive()`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder, SubmitOrders
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable, InvariantBroken, OrderRejectedError
from ibkr_trader.core.ids import next_broker_order_ids
from ibkr_trader.core.models import Order, OrderId, OrderSpec, WhatIf
from ibkr_trader.execution.ports import BrokerSnapshot, Clock
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.sim import events as sim
from ibkr_trader.sim.broker_news import Known, SimulatedNews
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.matching import told_why
from ibkr_trader.sim.orders import OrderKey, Refusal, SimOrder, SimStatus
from ibkr_trader.sim.translate import (
    fill_of,
    position_of,
    terms_of,
    values_of,
    what_if_of,
)

_CHANGEABLE = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")
_STANDING = {
    SimStatus.PRE_SUBMITTED: OrderStatus.PRESUBMITTED,
    SimStatus.SUBMITTED: OrderStatus.SUBMITTED,
    SimStatus.FILLED: OrderStatus.FILLED,
    SimStatus.INACTIVE: OrderStatus.REJECTED,
    SimStatus.CANCELLED: OrderStatus.CANCELLED,
}
_LIMIT = 20_000


class SimulatedBroker:
    """One client's way to an exchange in this process.

    Args:
        exchange: Shared with the market data, and with whoever moves its prices.
        clock: The exchange's time; every call lets the exchange reach it first.
        install: The prefix of our order ids; an order without it is foreign.
        client_id: As TWS has it: 0 hears of everybody's orders.
    """

    def __init__(
        self, exchange: Exchange, *, clock: Clock, install: str, client_id: int = 1
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._client_id = client_id
        self._news = SimulatedNews(exchange, install=install, client_id=client_id)
        self._facts: deque[ev.BaseEvent] = deque()
        self._wake = asyncio.Event()
        self._epoch = 0
        self._reserved = 0
        self._is_open = False

    # -- the port ---------------------------------------------------------------------------

    @property
    def on_record(self) -> Callable[[OrderId], bool]:
        """Asked of an order that another journal placed; see the port."""
        return self._news.on_record

    @on_record.setter
    def on_record(self, ask: Callable[[OrderId], bool]) -> None:
        self._news.on_record = ask

    def reserve_order_ids(self, count: int, *, floor: int) -> tuple[int, ...]:
        """Return `count` fresh ascending ids: above the exchange's next, `floor` and all given.

        Raises:
            BrokerUnavailable: If it is not open, or no id is left.
        """
        self._require_open()
        free = self._exchange.orders.next_order_id(self._client_id)
        ids = next_broker_order_ids(count, next_valid=free, floor=floor, seen=self._reserved)
        self._reserved = ids[-1]
        return ids

    async def send(self, approved: Approved) -> None:
        """Hand over one command; see the port.

        Raises:
            BrokerUnavailable: If it is not open; nothing was sent.
        """
        self._require_open()
        command = approved.command
        match command:
            case SubmitOrders():
                self._submit(command)
            case ModifyOrder():
                self._modify(command)
            case CancelOrder():
                self._cancel(command)

    async def what_if(self, spec: OrderSpec, *, timeout: float) -> WhatIf:
        """Return what an order would do to the account; see the port.

        Raises:
            OrderRejectedError: If the exchange would refuse it.
            BrokerUnavailable: If it is not open.
        """
        del timeout  # it answers at once
        self._require_open()
        self.advance()
        (number,) = self.reserve_order_ids(1, floor=1)
        alone = msgspec.structs.replace(spec, oca_group="", oca_type=None)
        terms = terms_of(alone, parent_number=0, transmit=True)
        answer = self._exchange.preview(self._client_id, number, terms=terms, now=self._clock.now())
        if isinstance(answer, Refusal):
            raise OrderRejectedError(
                f"IBKR would refuse this order: {answer.code} {answer.text}",
                order_id=spec.order_id,
                code=answer.code,
                reason=answer.text,
            )
        return what_if_of(answer)

    async def snapshot(self) -> BrokerSnapshot:
        """Return open and completed orders, today's fills, positions and cash.

        Raises:
            BrokerUnavailable: If it is not open.
        """
        self._require_open()
        self.advance()
        exchange, config = self._exchange, self._exchange.config
        at = self._clock.now()
        fills = tuple(
            msgspec.structs.replace(
                fill_of(
                    execution,
                    self._news.contract(execution.con_id),
                    self._news.name(execution),
                ),
                commission=execution.commission,
                realized_pnl=execution.realized_pnl,
            )
            for execution in exchange.orders.executions()
        )
        held = (record for record in exchange.account.positions.values() if record.quantity)
        return BrokerSnapshot(
            epoch=self._epoch,
            at=at,
            account=config.account,
            open_orders=tuple(self._order(order) for order in exchange.orders.working()),
            completed_orders=tuple(self._order(order) for order in exchange.orders.completed()),
            fills=tuple(sorted(fills, key=lambda fill: (fill.at, fill.fill_id))),
            positions=tuple(
                position_of(
                    record, self._news.contract(record.con_id), account=config.account, at=at
                )
                for record in held
            ),
            values=values_of(
                exchange.account.totals(), account=config.account, currency=config.currency
            ),
        )

    async def events(self) -> AsyncIterator[ev.BaseEvent]:
        """Yield every event in order, until the broker is closed."""
        while True:
            while self._facts:
                yield self._facts.popleft()
            if self._epoch and not self._is_open:
                return
            self._wake.clear()
            await self._wake.wait()

    # -- its life ---------------------------------------------------------------------------

    def open(self) -> None:
        """Connect: from here on commands are taken."""
        self._is_open = True
        self._epoch += 1
        self._publish(
            ev.ConnectEvent(
                at=self._clock.now(),
                epoch=self._epoch,
                accounts=(self._exchange.config.account,),
                is_simulator=True,
            )
        )

    def close(self) -> None:
        """Disconnect: `events()` ends after what is left. Orders stay at the exchange."""
        self._is_open = False
        self._wake.set()

    def advance(self) -> None:
        """Let the exchange reach the present."""
        self._report(self._exchange.advance(self._clock.now()))

    def _report(self, events: Sequence[sim.SimEvent]) -> None:
        for event in self._news.read(list(events)):
            self._publish(event)

    def _publish(self, event: ev.BaseEvent) -> None:
        if len(self._facts) >= _LIMIT:
            raise InvariantBroken(f"nobody took {_LIMIT} events of the simulated broker")
        self._facts.append(event)
        self._wake.set()

    def _require_open(self) -> None:
        if not self._is_open:
            raise BrokerUnavailable("the simulated broker is not open")

    # -- commands ---------------------------------------------------------------------------

    def _submit(self, command: SubmitOrders) -> None:
        numbers = {spec.order_id: spec.broker_order_id for spec in command.orders}
        families = [spec.parent_id or spec.order_id for spec in command.orders]
        for at, spec in enumerate(command.orders):
            if spec.broker_order_id <= 0 or spec.contract.con_id <= 0 or not spec.account:
                raise InvariantBroken(f"order {spec.order_id} is not ready to be sent")
            self._news.enter(
                Known(spec.order_id, OrderKey(self._client_id, spec.broker_order_id), spec)
            )
            parent = numbers.get(spec.parent_id, 0) if spec.parent_id is not None else 0
            if spec.parent_id is not None and not parent:
                parent = self._known(spec.parent_id).key.order_id
            is_last = families[at] not in families[at + 1 :]
            self._place(spec, parent_number=parent, transmit=is_last)

    def _modify(self, command: ModifyOrder) -> None:
        known = self._known(command.order_id)
        spec = known.wanted or known.spec
        if spec is None:
            raise BrokerUnavailable(f"the terms of {command.order_id} are not known yet")
        wanted = {
            name: value for name in _CHANGEABLE if (value := getattr(command, name)) is not None
        }
        known.wanted = msgspec.structs.replace(spec, broker_order_id=known.key.order_id, **wanted)
        order = self._exchange.orders.get(known.key)
        parent = order.terms.parent_id if order is not None else 0
        asked = frozenset(wanted)
        self._place(known.wanted, parent_number=parent, transmit=True, asked=asked)

    def _cancel(self, command: CancelOrder) -> None:
        number = command.broker_order_id
        if command.is_of_all:
            self._report(self._exchange.cancel_all(now=self._clock.now()))
            return
        if self._news.find(command.order_id) is not None or not number:
            known = self._known(command.order_id)
            if known.is_closed:
                return
            known.is_cancelling = True
            number = known.key.order_id
        self._report(self._exchange.cancel(self._client_id, number, now=self._clock.now()))

    def _place(
        self,
        spec: OrderSpec,
        *,
        parent_number: int,
        transmit: bool,
        asked: frozenset[str] | None = None,
    ) -> None:
        terms = terms_of(spec, parent_number=parent_number, transmit=transmit, asked=asked)
        number, now = spec.broker_order_id, self._clock.now()
        self._report(self._exchange.place(self._client_id, number, terms=terms, now=now))

    def _known(self, order_id: OrderId) -> Known:
        known = self._news.find(order_id)
        if known is None:
            raise BrokerUnavailable(f"{order_id} has not been seen on this connection")
        if known.key.client_id != self._client_id or known.order_id.startswith("foreign-"):
            # As over the wire: its number may be that of another order of ours.
            raise BrokerUnavailable(
                f"{order_id} was not placed by client {self._client_id}, and only who placed it "
                "can change it"
            )
        return known

    def _order(self, order: SimOrder) -> Order:
        known = self._news.meet(order)
        known.is_closed = order.status.is_closed
        status = _STANDING[order.status]
        if status is OrderStatus.SUBMITTED and order.filled:
            status = OrderStatus.PARTIALLY_FILLED
        spec = self._news.spec(order)
        if not order.status.is_closed:
            known.spec, known.is_acked = spec, True
        return Order(
            spec=spec,
            status=status,
            filled=order.filled,
            filled_value=order.filled_value,
            commission=order.commission,
            reported_filled=order.filled,
            perm_id=order.perm_id,
            client_id=order.client_id,
            held_for=told_why(order),
            reason=order.completed_status or order.warning,
            is_foreign=known.order_id.startswith("foreign-"),
        )


async def drive(broker: SimulatedBroker, *, interval: float = 0.1) -> None:
    """Let time pass for an open broker, every `interval` seconds, until cancelled."""
    while True:
        broker.advance()
        await asyncio.sleep(interval)
