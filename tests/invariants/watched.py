"""The exchange as a witness: every frame that reached it, and every state that followed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.sim.exchange import Exchange
from ibkr_trader.sim.orders import OrderKey, OrderTerms, SimOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.sim.events import SimEvent

AAPL, MSFT = 265598, 272093
US, HUMAN = 1, 0  # our client id; that of whoever sits at TWS


class State(msgspec.Struct, frozen=True):
    """How the exchange stood at one moment."""

    at: datetime
    held: dict[int, Decimal]
    working: tuple[SimOrder, ...]
    executions: int
    asks: dict[int, Decimal]


class Frame(msgspec.Struct, frozen=True):
    """One request that reached the exchange; `terms` is None for a cancel."""

    at: datetime
    key: OrderKey
    ref: str
    terms: OrderTerms | None
    before: State
    after: State
    is_change: bool = False
    written: int = 0  # how many records the journal had by then

    @property
    def is_new(self) -> bool:
        """Whether it placed an order that was not there."""
        return self.terms is not None and not self.is_change

    @property
    def con_id(self) -> int | None:
        """The contract that it is about; None for the cancel of what does not work."""
        if self.terms is not None:
            return self.terms.con_id
        return next((o.terms.con_id for o in self.before.working if o.key == self.key), None)


class WatchedExchange(Exchange):
    """An exchange that remembers what it was asked and how it has stood."""

    frames: list[Frame]
    states: list[State]
    untold: list[SimEvent]  # what others set off: the next to ask hears of it
    written: Callable[[], int] = int  # the number of the journal's last record

    def begin(self) -> None:
        """Start remembering."""
        self.frames, self.states, self.untold = [], [self.state()], []

    def state(self) -> State:
        """Return how things stand."""
        positions = self.account.positions.values()
        return State(
            at=self.now,
            held={p.con_id: p.quantity for p in positions if p.quantity},
            working=self.orders.working(),
            executions=len(tuple(self.orders.executions())),
            asks={one: self.market.tape(one).ask or Decimal(0) for one in (AAPL, MSFT)},
        )

    def place(
        self, client_id: int, order_id: int, *, terms: OrderTerms, now: datetime
    ) -> list[SimEvent]:
        """Remember the request, and do it."""
        found = super().advance(now)
        key, before = OrderKey(client_id, order_id), self.state()
        is_change = any(order.key == key for order in before.working)
        found += super().place(client_id, order_id, terms=terms, now=now)
        if client_id != US:
            self.untold += found
        self._keep(
            Frame(now, key, terms.order_ref, terms, before, self.state(), is_change, self.written())
        )
        return found

    def cancel(self, client_id: int, order_id: int, *, now: datetime) -> list[SimEvent]:
        """Remember the request, and do it."""
        found = super().advance(now)
        key, before = OrderKey(client_id, order_id), self.state()
        ref = next((o.terms.order_ref for o in before.working if o.key == key), "")
        found += super().cancel(client_id, order_id, now=now)
        if client_id != US:
            self.untold += found
        self._keep(Frame(now, key, ref, None, before, self.state(), written=self.written()))
        return found

    def advance(self, now: datetime) -> list[SimEvent]:
        """Let time pass; whoever asks next also hears of what others have set off."""
        found = self.untold + super().advance(now)
        self.untold = []
        return found

    def _finish(self) -> list[SimEvent]:
        """Remember where it led, whoever did it: a client, time, a hand at TWS or a fault."""
        found = super()._finish()
        state, last = self.state(), self.states[-1]
        if (state.held, state.working, state.executions) != (
            last.held, last.working, last.executions,
        ):  # fmt: skip
            self.states.append(state)
        return found

    def _keep(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.states.append(frame.after)
