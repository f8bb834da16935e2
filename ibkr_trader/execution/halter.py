"""Halting the desk: on record at once, so that nothing more is opened from this moment on.

Who may halt: a person, a limit that was passed, a signal, a file. Nobody resumes but a
person. What goes with it (taking back what could still open, closing what is held) is
carried out afterwards, by `work`, and never delays the halt itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.killing import Flattener
from ibkr_trader.orders.wishes import HALT
from ibkr_trader.portfolio.openers import openers, oversized
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.models import Contract, Order, OrderId
    from ibkr_trader.execution.ports import KillFlag, KillNote
    from ibkr_trader.execution.trader import Trader

LOOK = 0.2  # seconds between two looks at the flag
AGAIN = 5.0  # seconds before a cancel that was refused is asked for again
_CLOSE_WITHIN = 60.0  # seconds for a position to be confirmed as closed


class Halter:
    """Halts one trader's desk, or single symbols of it.

    Attributes:
        flag: The flag outside the process; None where there is none.
        wake: Set it, and `work` looks at once: a signal has come.
        taken_back: The orders that were asked to be cancelled, since the last resumption.
        flattener: Closes what is held, where a halt promises that.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self.flag: KillFlag | None = None
        self.wake = asyncio.Event()
        self.taken_back: dict[OrderId, None] = {}
        self._asked: dict[OrderId, tuple[int, bool]] = {}  # in which of its lives
        self._sizes: dict[OrderId, tuple[int, bool, Decimal]] = {}  # asked for, likewise
        self._refused: dict[OrderId, float] = {}
        self.flattener = Flattener(trader)
        self._is_ready = False
        trader.bus.subscribe(ev.StateEvent, self._note_state)
        trader.bus.subscribe(ev.OrderEvent, self._note_order)
        trader.bus.subscribe(ev.SyncEvent, self._note_sync)

    def stop(
        self,
        reason: str,
        *,
        origin: str,
        symbol: str = EVERYTHING,
        keeps_entries: bool = False,
        flatten: bool = False,
    ) -> None:
        """Halt everything, or `symbol` alone: from here on nothing is opened there.

        Halting what is halted already changes nothing. It holds even when the disk refuses to
        record it. With `flatten` what is held is closed, too, by this process or the next.
        """
        wish = {"keeps_entries": keeps_entries, "flattens": flatten}
        self._state(TradingState.HALTED, reason, origin, symbol=symbol, **wish)
        if flatten:
            self.flattener.renew(_key(symbol))
            self.wake.set()

    def reduce(self, reason: str, *, origin: str, symbol: str = EVERYTHING) -> None:
        """Let only what reduces risk go out, until somebody resumes."""
        self._state(TradingState.REDUCING, reason, origin, symbol=symbol, keeps_entries=True)

    def resume(
        self, reason: str, *, origin: str, symbol: str = EVERYTHING, seen: KillNote | None = None
    ) -> str:
        """End the halt of everything, or of `symbol` alone; return why it goes on, if it does.

        On record first; then the flag is taken away, the one that was `seen` and no other.

        Raises:
            JournalError: If it cannot be recorded. Then nothing has changed.
        """
        trader, key = self._trader, _key(symbol)
        event = ev.StateEvent(
            at=trader.clock.now(),
            state=TradingState.ACTIVE,
            reason=reason,
            symbol=key,
            origin=origin,
        )
        if key in trader.outlook.book.switch.held or key == EVERYTHING:
            trader.record.write([event])
        if self.flag is None or key != EVERYTHING:
            return ""
        if seen is not None:
            return self.flag.remove(seen)
        return self.flag.reason()

    def watch(self, flag: KillFlag) -> None:
        """Obey `flag`, from the next review on."""
        self.flag = flag
        self._trader.outlook.book.kill_flag = flag.reason

    def notice(self) -> KillNote | None:
        """Put on record what the flag says, if it is there, and return it."""
        note = self.flag.seen() if self.flag is not None else None
        if note is not None:
            self.stop(note.reason, origin=note.origin, keeps_entries=note.keeps_entries)
        return note

    def objection(self, contract: Contract) -> str:
        """Return why nothing may be opened in `contract` at this moment; empty if it may.

        Asked of what was approved and still waits to leave: a halt overtakes it, and so does the
        end of a lease.
        """
        book = self._trader.outlook.book
        held = book.switch.everything or book.switch.of(contract)
        if held is not None:
            return f"{held.state}: {held.reason}"
        flagged = book.kill_flag()
        return f"{TradingState.HALTED}: {flagged}" if flagged else book.lapse()

    async def work(self) -> None:
        """Obey the flag, and keep what a halt has promised; never returns."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.notice()
                await self._take_back()
                await self._cut()
                for symbol in self.flattener.take():
                    tasks.create_task(self._flatten(symbol))
                await asyncio.sleep(0)  # whatever wakes it, everybody else gets a turn
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self.wake.wait()
                self.wake.clear()

    # -- what goes with a halt ----------------------------------------------------------------

    async def _take_back(self) -> None:
        """Ask for the cancel of what could still open, once in each life of an order."""
        trader = self._trader
        due = [order for order in self._openers() if self._is_due(order)]
        if not due or trader.outlook.is_readonly:
            return
        for order in due:
            self._asked[order.order_id] = self._life(order)
            self.taken_back[order.order_id] = None
            command = CancelOrder(
                order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=HALT
            )
            with contextlib.suppress(BrokerUnavailable):  # it is on record; the rest must go on
                await trader.router.route(command)

    async def _cut(self) -> None:
        """Ask for stops to be cut to what they end: with the rest they could open."""
        trader = self._trader
        if trader.outlook.is_readonly or not self._may_act():
            return
        for order, quantity in oversized(trader.portfolio):
            wish = (*self._life(order), quantity)
            is_busy = order.status in (OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_MODIFY)
            if not self._takes_back(order) or is_busy or self._sizes.get(order.order_id) == wish:
                continue
            self._sizes[order.order_id] = wish
            command = ModifyOrder(order_id=order.order_id, quantity=quantity, origin=HALT)
            with contextlib.suppress(BrokerUnavailable):
                await trader.router.route(command)

    def _openers(self) -> tuple[Order, ...]:
        if not self._may_act():
            return ()
        return tuple(o for o in openers(self._trader.portfolio) if self._takes_back(o))

    def _may_act(self) -> bool:
        """Whether anything is halted, and this desk may send: who only looks does not."""
        held = self._trader.outlook.book.switch.held
        return self._is_ready and bool(held) and self._trader.guardian.duty is not Duty.NONE

    def _takes_back(self, order: Order) -> bool:
        switch = self._trader.outlook.book.switch
        return _takes_back(switch.everything) or _takes_back(switch.of(order.spec.contract))

    def _is_due(self, order: Order) -> bool:
        if order.status is OrderStatus.PENDING_CANCEL:
            return False
        refused = self._refused.get(order.order_id)
        if refused is not None and self._trader.clock.monotonic() - refused < AGAIN:
            return False
        return self._asked.get(order.order_id) != self._life(order)

    def _life(self, order: Order) -> tuple[int, bool]:
        """A new connection is a new life, and so is being found after nobody knew of it."""
        return self._trader.portfolio.link.epoch, order.status is OrderStatus.UNKNOWN

    async def _flatten(self, symbol: str) -> None:
        trader = self._trader
        closed = await self.flattener.carry_out(symbol, timeout=_CLOSE_WITHIN)
        at = trader.clock.now()
        troubles = [
            ev.ErrorEvent(at=at, code=0, message=one.trouble.message, is_serious=True)
            for one in closed
            if one.trouble is not None
        ]
        if troubles:
            trader.record.witness(troubles)

    # -- what is heard ------------------------------------------------------------------------

    def _note_state(self, event: ev.StateEvent) -> None:
        if event.state is TradingState.ACTIVE:
            self._asked.clear()
            self._refused.clear()
            self.taken_back.clear()
            self.flattener.forget()
        self.wake.set()

    def _note_order(self, event: ev.OrderEvent) -> None:
        if not self._trader.outlook.book.switch.held:
            return
        if isinstance(event, ev.CancelRejectEvent) and event.order_id in self._asked:
            del self._asked[event.order_id]
            self._refused[event.order_id] = self._trader.clock.monotonic()
        self.wake.set()

    def _note_sync(self, _: ev.SyncEvent) -> None:
        self._is_ready = True
        self._refused.clear()  # what the old link refused, the new one may take
        self.wake.set()

    def _state(
        self, state: TradingState, reason: str, origin: str, *, symbol: str, **wish: bool
    ) -> None:
        trader, key = self._trader, _key(symbol)
        switch = trader.outlook.book.switch
        if key in switch.held and switch.held[key].flattens:
            wish["flattens"] = True  # only who has kept the promise ends it
        event = ev.StateEvent(
            at=trader.clock.now(), state=state, reason=reason, symbol=key, origin=origin, **wish
        )
        if switch.after(event) is not switch:
            trader.record.attempt([event], is_vital=True)


def _key(symbol: str) -> str:
    return symbol.replace(" ", ".")


def _takes_back(event: ev.StateEvent | None) -> bool:
    return event is not None and event.state is TradingState.HALTED and not event.keeps_entries
