"""The one order path: every command, from whoever, takes these steps and no others.

1. Give new orders their broker ids, so that the journal has them before the wire does.
2. Review the command against the present view.
3. Write the verdict down, durably.
4. Announce it (the record does 3 and 4 as one step).
5. Hand it to the broker, whose lanes pace it.

Steps 1 to 4 contain no `await`: two commands can never pass the same limit together, and
an order in flight counts as exposure at once. A crash before 3 is as if nothing had
happened; between 3 and 5, recovery finds out what the broker has, and never sends again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command, ModifyOrder, SubmitOrders
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.shapes import TRAIL_TYPES
from ibkr_trader.risk.proposal import changed_spec
from ibkr_trader.risk.verdict import Approved, Denied, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ibkr_trader.core.events import Breach
    from ibkr_trader.core.models import Order, OrderSpec
    from ibkr_trader.execution.ports import Broker, Journal
    from ibkr_trader.execution.record import Record
    from ibkr_trader.portfolio.state import PortfolioState
    from ibkr_trader.risk.guard import RiskGuard
    from ibkr_trader.risk.view import RiskView

_TERMS = ("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent")
_MOVING = ("limit_price", "stop_price")


class OrderRouter:
    """Takes commands; sends what the guard approves, and only that."""

    def __init__(
        self,
        *,
        broker: Broker,
        guard: RiskGuard,
        record: Record,
        journal: Journal,
        view: Callable[[], RiskView],
        reach: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._broker = broker
        self._guard = guard
        self._record = record
        self._journal = journal
        self._view = view
        self._reach = reach

    async def route(self, command: Command) -> Verdict:
        """Take `command` down the order path; return what the guard said.

        Raises:
            JournalError: If the verdict could not be written; nothing was sent.
            BrokerUnavailable: If the broker could not be reached; nothing was sent, and
                that is on record.
        """
        view = self._view()
        command = self._complete(command, view.portfolio)
        verdict = self._guard.review(command, view)
        self._reach("CP1")
        if isinstance(verdict, Denied):
            self._record.attempt([command, *_denials(verdict)], is_vital=True)
            return verdict
        announced = _announcements(verdict, view.portfolio, verdict.at)
        self._record.attempt([command, *announced], is_vital=verdict.reduces)
        self._reach("CP2")
        await self._send(verdict)
        self._reach("CP8")
        return verdict

    def preview(self, command: Command) -> Verdict:
        """Return what the guard would say now; nothing is written or sent."""
        view = msgspec.structs.replace(self._view(), is_preview=True)
        return self._guard.review(command, view)

    def beforehand(self) -> tuple[Breach, ...]:
        """Return what stands at this moment against opening anything, whatever it would be."""
        return self._guard.beforehand(self._view())

    def rehearse(self, command: SubmitOrders) -> Verdict:
        """Return what the guard would say to `command` if it were routed at this moment.

        A preview passes over what may be otherwise by the time that it is sent, such as how
        much went out just now.
        """
        numbered = tuple(
            msgspec.structs.replace(spec, broker_order_id=number)
            for number, spec in enumerate(command.orders, start=1)
        )
        return self._guard.review(msgspec.structs.replace(command, orders=numbered), self._view())

    async def _send(self, approved: Approved) -> None:
        try:
            await self._broker.send(approved)
        except BrokerUnavailable as error:
            # The port's promise: then nothing was sent. It goes on record as certain.
            self._record.witness(
                [
                    ev.NotSentEvent(at=approved.at, order_id=spec.order_id, reason=error.message)
                    for spec in _new_orders(approved.command)
                ]
                + _undone(approved, error.message)
            )
            raise

    def _complete(self, command: Command, portfolio: PortfolioState) -> Command:
        """Leave nothing for the wire to decide: numbers for orders, full terms for changes."""
        match command:
            case SubmitOrders():
                return self._with_broker_ids(command)
            case ModifyOrder(order_id=order_id):
                order = portfolio.order(order_id)
                return command if order is None else _in_full(command, order)
            case CancelOrder(order_id=order_id, broker_order_id=0):
                order = portfolio.order(order_id)
                number = order.spec.broker_order_id if order is not None else 0
                return msgspec.structs.replace(command, broker_order_id=number)
            case CancelOrder():
                return command

    def _with_broker_ids(self, command: SubmitOrders) -> SubmitOrders:
        specs = command.orders
        floor = self._journal.state.last_order_id + 1
        ids = self._broker.reserve_order_ids(len(specs), floor=floor)
        numbered = tuple(
            msgspec.structs.replace(spec, broker_order_id=number)
            for spec, number in zip(specs, ids, strict=True)
        )
        return msgspec.structs.replace(command, orders=numbered)


def _in_full(command: ModifyOrder, order: Order) -> ModifyOrder:
    """The change with every term that will then hold: what is approved is what is sent."""
    spec = changed_spec(order, command)
    if spec == (order.desired or order.spec):
        return command  # it changes nothing, and the guard will say so
    is_trail = spec.order_type in TRAIL_TYPES
    # A trail moves at the broker: repeating where we last saw it would pull it back.
    terms = {name: getattr(spec, name) for name in _TERMS if not (is_trail and name in _MOVING)}
    return msgspec.structs.replace(command, **terms)


def _new_orders(command: Command) -> tuple[OrderSpec, ...]:
    return command.orders if isinstance(command, SubmitOrders) else ()


def _denials(denied: Denied) -> list[ev.BaseEvent]:
    match denied.command:
        case SubmitOrders(orders=orders):
            return [
                ev.DenyEvent(
                    at=denied.at, order_id=spec.order_id, breaches=denied.breaches, spec=spec
                )
                for spec in orders
            ]
        case ModifyOrder(order_id=order_id) | CancelOrder(order_id=order_id):
            return [ev.DenyEvent(at=denied.at, order_id=order_id, breaches=denied.breaches)]


def _announcements(
    approved: Approved, portfolio: PortfolioState, at: datetime
) -> list[ev.BaseEvent]:
    match approved.command:
        case SubmitOrders() as submit:
            return [
                ev.NewOrderEvent(
                    at=at,
                    order_id=spec.order_id,
                    spec=spec,
                    kind=submit.kind,
                    origin=submit.origin,
                    correlation_id=submit.correlation_id,
                    plan=submit.plan,
                    reduces=approved.reduces,
                )
                for spec in submit.orders
            ]
        case ModifyOrder() as modify:
            order = portfolio.order(modify.order_id)
            if order is None:
                return []
            return [
                ev.ModifyEvent(
                    at=at,
                    order_id=modify.order_id,
                    spec=changed_spec(order, modify),
                    origin=modify.origin,
                )
            ]
        case CancelOrder() as cancel:
            if portfolio.order(cancel.order_id) is None:
                return []
            return [ev.CancelRequestEvent(at=at, order_id=cancel.order_id, origin=cancel.origin)]


def _undone(approved: Approved, reason: str) -> list[ev.BaseEvent]:
    """A change that never left: the order stands as it was."""
    match approved.command:
        case ModifyOrder(order_id=order_id):
            return [ev.ModifyRejectEvent(at=approved.at, order_id=order_id, code=0, reason=reason)]
        case CancelOrder(order_id=order_id):
            return [ev.CancelRejectEvent(at=approved.at, order_id=order_id, code=0, reason=reason)]
        case _:
            return []
