"""The trading floor: one exchange, everybody connected to it, and who hears what.

It is the only place that calls the exchange's verbs, so whatever a call caused reaches every
listener before the next call is made. It does no I/O; time comes in with every call.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from ibkr_trader.sim.calendar import midnight_after
from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.gateway.contracts import WireContract
from ibkr_trader.sim.gateway.faults import Fates
from ibkr_trader.sim.gateway.lookup import wire_contract
from ibkr_trader.sim.gateway.uplink import Conversation
from ibkr_trader.sim.gateway.wiring import Wiring
from ibkr_trader.sim.orders import Execution, OrderKey, OrderTerms
from ibkr_trader.sim.universe import ContractQuery


class Listener(Conversation, Protocol):
    """A client's session, as the floor knows it."""

    def hear(self, event: SimEvent) -> None:
        """Take news from the exchange; whether it concerns this client is for it to say."""


class Floor:
    """Everybody's way to the exchange.

    Attributes:
        exchange: The exchange; read it freely, change it only through the verbs here.
        now: The exchange's time of the latest call.
        master_id: A client that hears of every order, as client 0 does; None is nobody.
        wiring: The faults in force, and the wire log.
        connections: How often each client has started the API.
        own_executions: Whether a client that asks for executions is told its own alone.
        logged_days: Of how many days it is told them, today included.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        now: datetime,
        before_first: Callable[[], None] = lambda: None,
        master_id: int | None = None,
    ) -> None:
        self.exchange = exchange
        self.now = now
        self.master_id = master_id
        self._before_first = before_first
        self.connections: dict[int, int] = {}
        self.own_executions = False
        self.logged_days = 1
        self._listeners: dict[int, Listener] = {}
        self.wiring = Wiring(
            exchange.orders,
            now=lambda: self.now,
            fates=Fates(trade=self._trade, kill=self._kill, pend=self._pend),
            clients=lambda: tuple(self._listeners.values()),
            is_halted=self._is_halted,
        )
        self._contracts: dict[int, WireContract] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no client is connected."""
        return not self._listeners

    @property
    def logged(self) -> tuple[Execution, ...]:
        """The executions that the trade log shows, oldest first."""
        orders = self.exchange.orders
        begins = midnight_after(self.now) - timedelta(days=self.logged_days)
        before = orders.trade_log() if self.logged_days > 1 else ()
        return (*(one for one in before if one.at >= begins), *orders.executions())

    def join(self, client_id: int, listener: Listener) -> bool:
        """Let a client in; False if its id is taken."""
        if client_id in self._listeners:
            return False
        if not self._listeners:
            self._before_first()
        self._listeners[client_id] = listener
        self.connections[client_id] = count = self.connections.get(client_id, 0) + 1
        self.wiring.agenda.greet(client_id, count)
        return True

    def leave(self, client_id: int, listener: Listener) -> None:
        """Let a client go; its orders stay."""
        if self._listeners.get(client_id) is listener:
            del self._listeners[client_id]

    def contract(self, con_id: int) -> WireContract:
        """Return an instrument as replies describe it."""
        known, listed = self._contracts.get(con_id), self.exchange.universe[con_id]
        if known is None or known.symbol != listed.symbol:  # it may have another ticker by now
            known = self._contracts[con_id] = wire_contract(listed)
        return known

    def place(self, client_id: int, order_id: int, terms: OrderTerms) -> None:
        """Place or change an order."""
        self._publish(self.exchange.place(client_id, order_id, terms=terms, now=self.now))

    def cancel(self, client_id: int, order_id: int | None) -> None:
        """Cancel one order, or every order when no id is given."""
        if order_id is None:
            events = self.exchange.cancel_all(now=self.now)
        else:
            events = self.exchange.cancel(client_id, order_id, now=self.now)
        self._publish(events)

    def carry_out(self, verb: Callable[[Exchange, datetime], Iterable[SimEvent]]) -> None:
        """Do what no client asked for: `verb` acts on the exchange at the time it is given."""
        self._publish(verb(self.exchange, self.now))

    def advance(self, now: datetime) -> None:
        """Let the exchange's time pass."""
        self.now = now
        self._publish(self.exchange.advance(now))

    def _trade(self, key: OrderKey, shares: Decimal) -> None:
        order = self.exchange.orders.get(key)
        if order is not None and order.is_working:
            forcing, perm_id = self.exchange.forcing, order.perm_id
            self.carry_out(lambda _, now: forcing.trade(perm_id, quantity=shares, now=now))

    def _kill(self, key: OrderKey, reason: str) -> None:
        order = self.exchange.orders.get(key)
        if order is not None and order.is_working:
            broker, perm_id = self.exchange.broker_acts, order.perm_id
            self.carry_out(lambda _, now: broker.time_out(perm_id, reason=reason, now=now))

    def _pend(self, key: OrderKey) -> bool:
        order = self.exchange.orders.get(key)
        if order is None or not order.is_working:
            return False
        tws, perm_id = self.exchange.tws_acts, order.perm_id
        self.carry_out(lambda _, now: tws.delay_cancel(perm_id, now=now))
        return True

    def _is_halted(self, symbol: str) -> bool:
        found = self.exchange.universe.find(ContractQuery(symbol=symbol, sec_type="STK"))
        return any(self.exchange.market.tape(one.con_id).halted for one in found)

    def _publish(self, events: Iterable[SimEvent]) -> None:
        listeners = tuple(self._listeners.values())
        for event in events:
            self.wiring.agenda.hear(event)
            for listener in listeners:
                listener.hear(event)
