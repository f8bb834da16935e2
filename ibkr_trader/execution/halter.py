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
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.killing import flatten
from ibkr_trader.orders.wishes import HALT
from ibkr_trader.portfolio.openers import openers
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
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
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self.flag: KillFlag | None = None
        self.wake = asyncio.Event()
        self.taken_back: dict[OrderId, None] = {}
        self._asked: dict[OrderId, tuple[int, bool]] = {}  # in which of its lives
        self._refused: dict[OrderId, float] = {}
        self._flattens: set[str] = set()  # what is to be closed, and what is being closed
        self._flattening: set[str] = set()
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
        record it. With `flatten` what is held is closed, too, by this process.
        """
        self._state(TradingState.HALTED, reason, origin, symbol=symbol, keeps=keeps_entries)
        if flatten and _key(symbol) not in self._flattening:
            self._flattens.add(_key(symbol))
            self.wake.set()

    def reduce(self, reason: str, *, origin: str, symbol: str = EVERYTHING) -> None:
        """Let only what reduces risk go out, until somebody resumes."""
        self._state(TradingState.REDUCING, reason, origin, symbol=symbol, keeps=True)

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

        Asked of what was approved and still waits to leave: a halt overtakes it.
        """
        book = self._trader.outlook.book
        held = book.switch.everything or book.switch.of(contract)
        if held is not None:
            return f"{held.state}: {held.reason}"
        flagged = book.kill_flag()
        return f"{TradingState.HALTED}: {flagged}" if flagged else ""

    async def work(self) -> None:
        """Obey the flag, and keep what a halt has promised; never returns."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self.notice()
                await self._take_back()
                while self._flattens and self._is_ready:
                    tasks.create_task(self._flatten(self._flattens.pop()))
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
        if not due or trader.outlook.view().is_readonly:
            return
        for order in due:
            self._asked[order.order_id] = self._life(order)
            self.taken_back[order.order_id] = None
            command = CancelOrder(
                order_id=order.order_id, broker_order_id=order.spec.broker_order_id, origin=HALT
            )
            with contextlib.suppress(BrokerUnavailable):  # it is on record; the rest must go on
                await trader.router.route(command)

    def _openers(self) -> tuple[Order, ...]:
        switch = self._trader.outlook.book.switch
        # Who only looks sends nothing, whatever is halted.
        if not self._is_ready or not switch.held or self._trader.guardian.duty is Duty.NONE:
            return ()
        everything = switch.everything
        found = openers(self._trader.portfolio)
        if everything is not None and _takes_back(everything):
            return found
        return tuple(o for o in found if _takes_back(switch.of(o.spec.contract)))

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
        self._flattening.add(symbol)
        try:
            closed = await flatten(trader, symbol=symbol, timeout=_CLOSE_WITHIN)
        finally:
            self._flattening.discard(symbol)
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
        self, state: TradingState, reason: str, origin: str, *, symbol: str, keeps: bool
    ) -> None:
        trader = self._trader
        event = ev.StateEvent(
            at=trader.clock.now(),
            state=state,
            reason=reason,
            symbol=_key(symbol),
            origin=origin,
            keeps_entries=keeps,
        )
        switch = trader.outlook.book.switch
        if switch.after(event) is not switch:
            trader.record.attempt([event], is_vital=True)


def _key(symbol: str) -> str:
    return symbol.replace(" ", ".")


def _takes_back(event: ev.StateEvent | None) -> bool:
    return event is not None and event.state is TradingState.HALTED and not event.keeps_entries
