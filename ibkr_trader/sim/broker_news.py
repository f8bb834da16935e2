"""What the exchange reports -> what the core is told, by the same reading as over the wire.

The adapter for IBKR reads frames; this reads typed events. Both must say the same thing of
the same happening: the broker contract suite holds them to it.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from ibkr_trader.core import events as ev
from ibkr_trader.core.ids import FOREIGN
from ibkr_trader.core.models import Contract, OrderId, OrderSpec
from ibkr_trader.orders.terms import is_answered, is_repeated
from ibkr_trader.orders.wishes import BROKER
from ibkr_trader.sim import events as sim
from ibkr_trader.sim import refusals
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.matching import told_why
from ibkr_trader.sim.orders import Execution, OrderKey, SimOrder, SimStatus
from ibkr_trader.sim.translate import (
    contract_of,
    fill_of,
    order_id_of,
    position_of,
    quote_of,
    spec_of,
    values_of,
)


class Known:
    """What this client knows of one order.

    Attributes:
        spec: The terms last sent or confirmed. wanted: Those of a change not answered yet.
        is_acked: The exchange has spoken of it. is_cancelling: We asked for its end.
        is_refused: An error refused it; a `Cancelled` that follows is the same news.
        is_closed: It cannot trade any more.
    """

    __slots__ = (
        "is_acked",
        "is_cancelling",
        "is_closed",
        "is_refused",
        "key",
        "order_id",
        "spec",
        "wanted",
    )

    def __init__(self, order_id: OrderId, key: OrderKey, spec: OrderSpec | None = None) -> None:
        self.order_id = order_id
        self.key = key
        self.spec = spec
        self.wanted: OrderSpec | None = None
        self.is_acked = self.is_cancelling = self.is_refused = self.is_closed = False


class SimulatedNews:
    """Reads the exchange's events for one client; knows the orders by both their names."""

    def __init__(self, exchange: Exchange, *, install: str, client_id: int) -> None:
        self._exchange = exchange
        self._install = install
        self._client_id = client_id
        self._contracts: dict[int, Contract] = {}
        self.by_key: dict[OrderKey, Known] = {}
        self.by_id: dict[OrderId, Known] = {}
        self.on_record: Callable[[OrderId], bool] = lambda _: False

    def read(self, events: list[sim.SimEvent]) -> Iterator[ev.BaseEvent]:
        """Yield the core's events, in order; what concerns other clients only is left out."""
        for event in events:
            yield from self._read(event)

    def _read(self, event: sim.SimEvent) -> Iterable[ev.BaseEvent]:  # noqa: PLR0911 - one line a kind
        match event:
            case sim.OrderShown():
                return self._order_shown(event)
            case sim.StatusShown():
                return self._status_shown(event)
            case sim.Executed():
                return self._executed(event)
            case sim.CommissionPosted():
                return self._commission(event)
            case sim.Noticed():
                return self._noticed(event)
            case sim.PositionChanged():
                return self._position(event)
            case sim.AccountChanged():
                return self._account(event)
            case sim.QuoteChanged():
                return self._quote(event)
            case _:
                return ()

    def enter(self, known: Known) -> Known:
        """Remember an order."""
        self.by_key[known.key] = self.by_id[known.order_id] = known
        return known

    def meet(self, order: SimOrder) -> Known:
        """Return what is known of an order the exchange speaks of, entering it if it is new."""
        known = self.by_key.get(order.key)
        if known is None:
            known = self.enter(Known(self.name(order), order.key))
        elif known.order_id.startswith(f"{FOREIGN}-"):  # it may have been taken over since
            self.by_id.pop(known.order_id)
            known.order_id = self.name(order)
            self.enter(known)
        return known

    def name(self, order: SimOrder | Execution) -> OrderId:
        """Return the id by which we know an order, or that of an execution."""
        return order_id_of(order, self._install, on_record=self.on_record)

    def find(self, order_id: OrderId) -> Known | None:
        """Return what is known of an order by its id; None if it was not met."""
        if order_id not in self.by_id and self.on_record(order_id):
            for order in self._exchange.orders.working():
                self.meet(order)
        return self.by_id.get(order_id)

    def contract(self, con_id: int) -> Contract:
        """Return a contract as the core names it."""
        found = self._contracts.get(con_id)
        if found is None:
            found = self._contracts[con_id] = contract_of(self._exchange.universe[con_id])
        return found

    def spec(self, order: SimOrder) -> OrderSpec:
        """Return the terms that the exchange states of an order."""
        known = self.meet(order)
        parent = self.by_key.get(order.parent_key) if order.parent_key is not None else None
        return spec_of(
            order,
            self.contract(order.terms.con_id),
            order_id=known.order_id,
            parent_id=parent.order_id if parent is not None else None,
        )

    def _hears(self, client_id: int) -> bool:
        return self._client_id in {0, client_id}

    def _order_shown(self, event: sim.OrderShown) -> Iterator[ev.BaseEvent]:
        order = event.order
        if not self._hears(order.client_id) or order.status.is_closed:
            return
        known = self.meet(order)
        spec = self.spec(order)
        known.is_acked = True
        if known.spec is not None and known.wanted is not None:
            if is_repeated(spec, before=known.spec, wanted=known.wanted):
                return
            if is_answered(spec, before=known.spec, wanted=known.wanted):
                known.wanted = None
        known.spec = spec
        yield ev.AcceptEvent(
            at=event.at,
            order_id=known.order_id,
            spec=spec,
            perm_id=order.perm_id,
            client_id=order.client_id,
            is_foreign=known.order_id.startswith("foreign-"),
            warning=order.warning,
        )

    def _status_shown(self, event: sim.StatusShown) -> Iterator[ev.BaseEvent]:
        order = event.order
        if not self._hears(order.client_id):
            return
        known = self.meet(order)
        known.is_acked = True
        known.is_closed = order.status.is_closed and order.status is not SimStatus.INACTIVE
        yield from self._status(known, order, event.at)

    @staticmethod
    def _status(known: Known, order: SimOrder, at: datetime) -> Iterator[ev.BaseEvent]:
        order_id = known.order_id
        match order.status:
            case SimStatus.PRE_SUBMITTED | SimStatus.SUBMITTED:
                yield ev.StatusEvent(
                    at=at,
                    order_id=order_id,
                    is_working=order.status is SimStatus.SUBMITTED,
                    filled=order.filled,
                    remaining=order.remaining,
                    average_price=order.average_price or None,
                    perm_id=order.perm_id,
                    client_id=order.client_id,
                    held_for=told_why(order),
                )
            case SimStatus.PENDING_CANCEL:
                yield ev.CancelRequestEvent(at=at, order_id=order_id, origin=BROKER)
            case SimStatus.INACTIVE:
                yield ev.HoldEvent(at=at, order_id=order_id, reason=order.why_held)
            case SimStatus.FILLED:
                yield ev.DoneEvent(
                    at=at,
                    order_id=order_id,
                    filled=order.filled,
                    average_price=order.average_price,
                )
            case _:
                if not known.is_refused:
                    yield ev.CancelEvent(at=at, order_id=order_id)

    def _executed(self, event: sim.Executed) -> Iterator[ev.BaseEvent]:
        if not self._hears(event.order.client_id):
            return
        known = self.meet(event.order)
        known.is_acked = True
        contract = self.contract(event.execution.con_id)
        fill = fill_of(event.execution, contract, known.order_id)
        yield ev.FillEvent(at=event.at, order_id=known.order_id, fill=fill)

    def _commission(self, event: sim.CommissionPosted) -> Iterator[ev.BaseEvent]:
        execution = event.execution
        known = self.by_key.get(OrderKey(execution.client_id, execution.order_id))
        if known is None or not self._hears(execution.client_id):
            return
        yield ev.CommissionEvent(
            at=event.at,
            order_id=known.order_id,
            fill_id=execution.exec_id.rpartition(".")[0],
            commission=execution.commission,
            currency=execution.currency,
            realized_pnl=execution.realized_pnl,
        )

    def _noticed(self, event: sim.Noticed) -> Iterator[ev.BaseEvent]:
        known = self.by_key.get(OrderKey(event.client_id, event.order_id))
        if known is None or event.client_id != self._client_id:
            return
        at, order_id, code, reason = event.at, known.order_id, event.code, event.text
        match _finding(known, code):
            case ev.RejectEvent:
                known.is_refused, known.wanted = True, None
                yield ev.RejectEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.ModifyRejectEvent:
                known.wanted = None
                yield ev.ModifyRejectEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.CancelRejectEvent:
                known.is_cancelling = False
                yield ev.CancelRejectEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.CancelEvent:
                known.is_closed = True
                yield ev.CancelEvent(at=at, order_id=order_id, code=code, reason=reason)
            case _:
                yield ev.WarningEvent(at=at, order_id=order_id, code=code, reason=reason)

    def _position(self, event: sim.PositionChanged) -> Iterator[ev.BaseEvent]:
        position = position_of(
            event.position,
            self.contract(event.position.con_id),
            account=self._exchange.config.account,
            at=event.at,
        )
        yield ev.PositionReportEvent(at=event.at, position=position)

    def _account(self, event: sim.AccountChanged) -> Iterator[ev.BaseEvent]:
        config = self._exchange.config
        totals = self._exchange.account.totals()
        values = values_of(totals, account=config.account, currency=config.currency)
        yield ev.AccountEvent(at=event.at, values=values)

    def _quote(self, event: sim.QuoteChanged) -> Iterator[ev.BaseEvent]:
        contract = self.contract(event.con_id)
        quote = quote_of(event.tape, self._exchange.universe[event.con_id], contract)
        yield ev.PriceEvent(at=event.at, contract=contract, quote=quote)


_REMARKS = frozenset(
    {
        refusals.HELD_UNTIL_OPEN,
        refusals.LOCATING,
        refusals.TIF_ASSUMED,
        refusals.OUTSIDE_RTH_IGNORED,
        refusals.PRICE_CAPPED,
    }
)
_CANCEL_REFUSED = frozenset({161, 10147, 10148})


def _finding(known: Known, code: int) -> type[ev.OrderEvent]:
    """Return what a code is evidence of, given what we were doing to the order."""
    if code in _REMARKS:
        return ev.WarningEvent
    if code == refusals.CANCELLED:
        return ev.CancelEvent
    if code == refusals.FILLED.code:
        return ev.ModifyRejectEvent
    if code in _CANCEL_REFUSED:
        return ev.CancelRejectEvent
    if not known.is_acked:
        return ev.RejectEvent
    is_used_twice = code == refusals.DUPLICATE_ID.code and not known.is_closed
    if known.wanted is not None and not is_used_twice:
        return ev.ModifyRejectEvent
    return ev.RejectEvent if code == refusals.REJECTED else ev.WarningEvent
