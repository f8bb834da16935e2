"""Takes away the second one of an order that the broker has twice, and says that there are two.

The one that was known stays, so nothing is without its stop meanwhile. The cancel goes by the
number that the broker tells of the second one. Where that is the number of both (TWS names an
order by client and number), both may end: then the group or the guardian puts one back, as
whenever a stop is gone. Where TWS takes no cancel of it from this client, it stays, it counts as
what it could trade, and the alarm stands: each whole look at the broker asks once more. Nothing is
asked by a number that another client gave: it might be that of another order of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.ids import is_twin
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.orders.wishes import RECOVERY
from ibkr_trader.portfolio.twins import can_end, told, twins

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader

PAUSE = 0.5  # seconds: a cancel is carried out by then, or refused


class TwinWatch:
    """Hears of twins; `work` has them cancelled, where this desk may act."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._wake = asyncio.Event()
        self._said: set[OrderId] = set()
        self._looked: set[tuple[OrderId, int]] = set()  # by the link that it was asked away on
        trader.bus.subscribe(ev.AcceptEvent, self._hear)
        trader.bus.subscribe(ev.SyncEvent, lambda _: self._wake.set())

    async def work(self) -> None:
        """Have twins cancelled, once after each news of one and each whole look; never returns."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._take_back()

    def _hear(self, event: ev.AcceptEvent) -> None:
        if not is_twin(event.order_id):
            return
        self._wake.set()
        order = self._trader.portfolio.order(event.order_id)
        if order is None or event.from_snapshot or event.order_id in self._said:
            return  # of those in a snapshot, reconciliation says so
        self._said.add(event.order_id)
        self._trader.record.witness(list(told([order], event.at)))

    async def _take_back(self) -> None:
        trader = self._trader
        if trader.guardian.duty is Duty.NONE or trader.outlook.is_readonly:
            return
        due = [
            order
            for order in twins(trader.portfolio.orders.values())
            if order.status is not OrderStatus.PENDING_CANCEL and can_end(order, trader.client_id)
        ]
        for order in due:
            command = CancelOrder(
                order_id=order.order_id,
                broker_order_id=order.spec.broker_order_id,
                origin=RECOVERY,
            )
            with contextlib.suppress(BrokerUnavailable):  # it is on record, and told
                await trader.router.route(command)
        await self._look({(order.order_id, trader.portfolio.link.epoch) for order in due})

    async def _look(self, asked: set[tuple[OrderId, int]]) -> None:
        """Ask what became of them: TWS tells nobody of the end of what it calls another's."""
        if asked <= self._looked:
            return
        self._looked |= asked
        await asyncio.sleep(PAUSE)
        with contextlib.suppress(BrokerUnavailable):  # whoever brings the link back looks, too
            await self._trader.recovery.synchronize()
