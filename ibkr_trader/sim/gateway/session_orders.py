"""The order desk: place, modify, preview, cancel, and everything said about orders."""

from datetime import datetime

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.sim.events import (
    CommissionPosted,
    Executed,
    Noticed,
    OrderShown,
    SimEvent,
    StatusShown,
)
from ibkr_trader.sim.gateway import order_requests as ask
from ibkr_trader.sim.gateway.contracts import is_bag
from ibkr_trader.sim.gateway.desk import Desk, Handlers
from ibkr_trader.sim.gateway.lookup import NoContract, order_contract, resolve
from ibkr_trader.sim.gateway.open_order import OpenOrder
from ibkr_trader.sim.gateway.order_replies import CompletedOrdersEnd, ExecDetailsEnd, OpenOrderEnd
from ibkr_trader.sim.gateway.order_terms import order_terms
from ibkr_trader.sim.gateway.order_views import (
    commission_report,
    completed_order,
    exec_details,
    open_order,
    order_status,
    preview_order,
)
from ibkr_trader.sim.gateway.talk import NO_REQUEST, Talk
from ibkr_trader.sim.gateway.times import read_moment
from ibkr_trader.sim.gateway.wire_order import WireOrder
from ibkr_trader.sim.orders import Execution, OrderTerms, Refusal, SimOrder

NOT_SIMULATED = 387
LARGEST_ORDER_ID = 2**31 - 2  # the largest int means unset, and the next id must be one too
_SIDES = {"BUY": Side.BUY, "BOT": Side.BUY, "SELL": Side.SELL, "SLD": Side.SELL}


class OrderDesk(Desk):
    """Orders and executions of one client; clients 0 and the master also hear the others'."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk)
        self.handlers: Handlers = {
            ask.PlaceOrder: self._place,
            ask.CancelOrder: self._cancel,
            ask.GlobalCancel: self._cancel_all,
            ask.ReqOpenOrders: self._open_orders,
            ask.ReqAllOpenOrders: self._all_open_orders,
            ask.ReqAutoOpenOrders: self._bind,
            ask.ReqCompletedOrders: self._completed_orders,
            ask.ReqExecutions: self._executions,
            ask.ExerciseOptions: self._exercise,
        }

    def hear(self, event: SimEvent) -> None:
        """Pass on what concerns this client."""
        match event:
            case OrderShown() | StatusShown():
                if self._hears(event.order.client_id):
                    shown, order = isinstance(event, OrderShown), event.order
                    self.talk.say(self._open_order(order) if shown else order_status(order))
            case Executed() | CommissionPosted():
                if self._hears(event.execution.client_id):
                    self._tell_fill(event)
            case Noticed():
                if event.client_id == self.talk.client_id:
                    self.talk.refuse(event.order_id, event.code, event.text)
            case _:
                pass

    def _open_order(self, order: SimOrder) -> OpenOrder:
        return open_order(order, self.talk.floor.contract(order.terms.con_id))

    def _tell_fill(self, event: Executed | CommissionPosted) -> None:
        if isinstance(event, Executed):
            self._tell_execution(event.execution, NO_REQUEST)
        else:
            self.talk.say(commission_report(event.execution))

    def _hears(self, owner: int) -> bool:
        me = self.talk.client_id
        return me in (owner, 0, self.talk.floor.master_id)

    def _place(self, request: ask.PlaceOrder) -> None:
        order = request.order
        if not 0 < request.order_id <= LARGEST_ORDER_ID:
            self.talk.invalid(request.order_id, "Invalid order id")
            return
        if is_bag(order.contract):
            text = "Unsupported order type for this exchange and security type.comboLegs"
            self.talk.refuse(request.order_id, NOT_SIMULATED, text)
            return
        try:
            terms = self._terms(order)
        except NoContract as error:
            self.talk.refuse(request.order_id, error.code, error.text)
            return
        if order.what_if:
            self._preview(request.order_id, terms)
        else:
            self.talk.floor.place(self.talk.client_id, request.order_id, terms)

    def _terms(self, order: WireOrder) -> OrderTerms:
        floor = self.talk.floor
        instrument = resolve(floor.exchange.universe, order.contract)
        full = floor.contract(instrument.con_id)
        echo = msgspec.structs.replace(
            order,
            contract=order_contract(full, order.contract),
            account=order.account or floor.exchange.config.account,
        )
        return order_terms(echo, instrument.con_id)

    def _preview(self, order_id: int, terms: OrderTerms) -> None:
        floor = self.talk.floor
        answer = floor.exchange.preview(self.talk.client_id, order_id, terms=terms, now=floor.now)
        if isinstance(answer, Refusal):
            self.talk.refuse(order_id, answer.code, answer.text)
            return
        self.talk.say(preview_order(self.talk.client_id, order_id, terms.wire, answer=answer))

    def _cancel(self, request: ask.CancelOrder) -> None:
        self.talk.floor.cancel(self.talk.client_id, request.order_id)

    def _cancel_all(self, _: ask.GlobalCancel) -> None:
        self.talk.floor.cancel(self.talk.client_id, None)

    def _open_orders(self, _: ask.ReqOpenOrders) -> None:
        self._tell_open(self.talk.client_id)

    def _all_open_orders(self, _: ask.ReqAllOpenOrders) -> None:
        self._tell_open(None)

    def _bind(self, _: ask.ReqAutoOpenOrders) -> None:
        """Bind nothing: orders entered by hand stay as they are, under ids below zero."""
        if self.talk.client_id != 0:
            self.talk.invalid(NO_REQUEST, "Only client 0 can bind orders entered by hand.")

    def _tell_open(self, client_id: int | None) -> None:
        exchange = self.talk.floor.exchange
        told = exchange.orders.working(client_id)
        for order in told:
            self.talk.say(self._open_order(order))
            self.talk.say(order_status(order))
        exchange.tws_acts.tell_numbers(self.talk.client_id, (order.order_id for order in told))
        self.talk.say(OpenOrderEnd())

    def _completed_orders(self, _: ask.ReqCompletedOrders) -> None:
        for order in self.talk.floor.exchange.orders.completed():
            contract = self.talk.floor.contract(order.terms.con_id)
            self.talk.say(completed_order(order, contract))
        self.talk.say(CompletedOrdersEnd())

    def _executions(self, request: ask.ReqExecutions) -> None:
        try:
            since = read_moment(request.time) if request.time else None
        except ValueError:
            self.talk.invalid(request.req_id, f"Invalid time: {request.time}")
            return
        floor = self.talk.floor
        for execution in floor.logged:
            if floor.own_executions and not self._hears(execution.client_id):
                continue
            if self._matches(execution, request, since):
                self._tell_execution(execution, request.req_id)
                self.talk.say(commission_report(execution))
        self.talk.say(ExecDetailsEnd(req_id=request.req_id))

    def _matches(
        self, execution: Execution, request: ask.ReqExecutions, since: datetime | None
    ) -> bool:
        contract = self.talk.floor.contract(execution.con_id)
        wanted = (
            (request.client_id, execution.client_id),
            (request.account, execution.account),
            (request.symbol.upper(), contract.symbol),
            (request.sec_type.upper(), contract.sec_type),
            (request.exchange, execution.exchange),
            (_SIDES.get(request.side.upper(), request.side), execution.side),
        )
        if any(want and want != have for want, have in wanted):
            return False
        return since is None or execution.at >= since

    def _tell_execution(self, execution: Execution, req_id: int) -> None:
        contract = self.talk.floor.contract(execution.con_id)
        self.talk.say(exec_details(execution, contract, req_id=req_id))

    def _exercise(self, request: ask.ExerciseOptions) -> None:
        self.talk.invalid(request.req_id, "Exercising options is not simulated.")
