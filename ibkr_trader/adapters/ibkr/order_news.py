"""What the gateway says of orders -> events of ours: every rule of reading in one place.

The text of a status is a claim, an error code weak evidence (see `error_codes`), an
execution the truth. What a code means depends on what we were doing: the same 201 refuses
a new order, or a change that leaves the old terms standing.
"""

from __future__ import annotations

from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.adapters.ibkr.error_codes import Kind, rule_for
from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Fill, FillId
from ibkr_trader.orders.terms import is_answered, is_repeated
from ibkr_trader.orders.wishes import BROKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from ibkr_trader.adapters.ibkr.roster import Entry, Roster
    from ibkr_trader.core.models import OrderId

_STATED = frozenset({"PreSubmitted", "Submitted", "PendingCancel"})  # the broker has the order
_AWAITED = frozenset({"PendingSubmit", "ApiPending"})  # it has yet to take it
_CHARGED_LIMIT = 10_000  # executions whose commissions may still come, at most twice as many
_EARLY_LIMIT = 10_000  # commissions that wait for their executions


class OrderNews:
    """Reads messages about orders, keeps the roster, returns what happened."""

    def __init__(self, roster: Roster, *, now: Callable[[], datetime]) -> None:
        self._roster = roster
        self._now = now
        self._orders_of_fills: dict[FillId, OrderId] = {}
        self._early: dict[FillId, m.Commission] = {}

    def open_order(self, report: m.OrderReport) -> Iterable[ev.OrderEvent]:
        """Read openOrder: the terms of an order that is alive."""
        entry = self._meet(report)
        entry.parent_number = report.parent_id
        spec = self._roster.spec_of(entry, report)
        is_news = entry.spec is None  # an order that nobody here has sent
        if report.status not in _STATED and not (is_news and report.status == "Inactive"):
            return
        entry.is_acked = True
        before, wanted = entry.spec, entry.wanted
        if before is not None and wanted is not None:
            if is_repeated(spec, before=before, wanted=wanted):
                return
            if is_answered(spec, before=before, wanted=wanted):
                entry.wanted = None
        entry.spec = spec
        yield ev.AcceptEvent(
            at=self._now(),
            order_id=entry.order_id,
            spec=spec,
            perm_id=entry.perm_id,
            client_id=entry.client_id,
            is_foreign=entry.is_foreign,
            warning=report.remark,
        )

    def status(self, entry: Entry, report: m.StatusReport) -> Iterable[ev.OrderEvent]:
        """Read the orderStatus of an order."""
        entry.perm_id = report.perm_id or entry.perm_id
        entry.is_acked |= report.status not in _AWAITED
        at, order_id = self._now(), entry.order_id
        match report.status:
            case "Submitted" | "PreSubmitted":
                entry.is_refused = False  # it lives: the refusal was not of the order
                yield _standing(order_id, report, at=at)
            case "PendingCancel":
                yield ev.CancelRequestEvent(at=at, order_id=order_id, origin=BROKER)
            case "Cancelled" | "ApiCancelled":
                entry.is_closed = True
                if not entry.is_refused:
                    yield ev.CancelEvent(at=at, order_id=order_id)
            case "Inactive":
                yield ev.HoldEvent(at=at, order_id=order_id, reason=report.held_for)
            case "Filled":
                entry.is_closed = True
                yield ev.DoneEvent(
                    at=at,
                    order_id=order_id,
                    filled=report.filled,
                    average_price=report.average_price,
                )
            case "PendingSubmit" | "ApiPending":
                return
            case status:
                yield ev.WarningEvent(
                    at=at, order_id=order_id, code=0, reason=f"status {status!r} is not known"
                )

    def fill(self, execution: m.Execution) -> Fill:
        """Read execDetails: which order it belongs to, and which revision it is."""
        entry = self._roster.meet(
            ref=execution.ref,
            client_id=execution.client_id,
            number=execution.order_id,
            perm_id=execution.perm_id,
        )
        entry.is_acked = True
        fill_id, revision = family_of(execution.exec_id)
        known = self._orders_of_fills
        if len(known) >= 2 * _CHARGED_LIMIT:
            self._orders_of_fills = known = dict(islice(known.items(), _CHARGED_LIMIT, None))
        known[fill_id] = entry.order_id
        return Fill(
            fill_id=fill_id,
            revision=revision,
            order_id=entry.order_id,
            contract=execution.contract,
            account=execution.account,
            side=execution.side,
            quantity=execution.quantity,
            price=execution.price,
            at=execution.at,
            perm_id=execution.perm_id,
            broker_order_id=execution.order_id,
            client_id=execution.client_id,
            exchange=execution.exchange,
            is_liquidation=execution.is_liquidation,
        )

    def filled(self, fill: Fill) -> Iterable[ev.OrderEvent]:
        """Return the news of a fill, and its commission if that came first."""
        yield ev.FillEvent(at=self._now(), order_id=fill.order_id, fill=fill)
        early = self._early.pop(fill.fill_id, None)
        if early is not None:
            yield from self.commission(early)

    def commission(self, report: m.Commission) -> Iterable[ev.OrderEvent]:
        """Read commissionReport."""
        fill_id, _ = family_of(report.exec_id)
        order_id = self._orders_of_fills.get(fill_id)
        if report.commission is None:
            return
        if order_id is None:
            if len(self._early) < _EARLY_LIMIT:
                self._early[fill_id] = report
            return
        yield ev.CommissionEvent(
            at=self._now(),
            order_id=order_id,
            fill_id=fill_id,
            commission=report.commission,
            currency=report.currency,
            realized_pnl=report.realized_pnl,
        )

    def error(self, entry: Entry, error: m.ErrorReport) -> Iterable[ev.OrderEvent]:
        """Read an error that names an order of our client."""
        at, order_id, code = self._now(), entry.order_id, error.code
        rule = rule_for(code)
        reason = f"{error.text} ({rule.hint})" if rule.hint else error.text
        match _finding(entry, rule.kind):
            case ev.RejectEvent:
                entry.is_refused = True
                entry.wanted = None
                yield ev.RejectEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.ModifyRejectEvent:
                entry.wanted = None
                yield ev.ModifyRejectEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.CancelRejectEvent:
                entry.is_cancelling = False
                yield ev.CancelRejectEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.CancelEvent if not entry.is_shared:
                entry.is_closed = True
                yield ev.CancelEvent(at=at, order_id=order_id, code=code, reason=reason)
            case ev.UnknownEvent:
                yield ev.UnknownEvent(at=at, order_id=order_id, reason=f"{code} {reason}")
            case _:
                yield ev.WarningEvent(at=at, order_id=order_id, code=code, reason=reason)

    def _meet(self, report: m.OrderReport) -> Entry:
        return self._roster.meet(
            ref=report.ref,
            client_id=report.client_id,
            number=report.order_id,
            perm_id=report.perm_id,
        )


def _standing(order_id: OrderId, report: m.StatusReport, *, at: datetime) -> ev.StatusEvent:
    return ev.StatusEvent(
        at=at,
        order_id=order_id,
        is_working=report.status == "Submitted",
        filled=report.filled,
        remaining=report.remaining,
        average_price=report.average_price,
        perm_id=report.perm_id,
        client_id=report.client_id,
        held_for=report.held_for,
    )


# What these are evidence of, whatever we were doing.
_PLAIN: Mapping[Kind, type[ev.OrderEvent]] = MappingProxyType(
    {
        Kind.CANCELLED: ev.CancelEvent,
        Kind.MODIFY_REFUSED: ev.ModifyRejectEvent,
        Kind.CANCEL_REFUSED: ev.CancelRejectEvent,
    }
)
_REFUSALS = frozenset({Kind.REJECT, Kind.REFUSE, Kind.CONFIG, Kind.DUPLICATE_ID})


def _finding(entry: Entry, kind: Kind) -> type[ev.OrderEvent]:
    """Return what a code of `kind` is evidence of, given what we were doing to the order."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if kind in _REFUSALS and not entry.is_acked:
        return ev.RejectEvent
    if kind is Kind.PACING and not entry.is_acked:
        return ev.UnknownEvent
    if kind in _REFUSALS and entry.wanted is not None and _is_of_change(entry, kind):
        return ev.ModifyRejectEvent
    if kind is Kind.REJECT:
        return ev.RejectEvent
    if kind in {Kind.REFUSE, Kind.CONFIG} and entry.is_cancelling:
        return ev.CancelRejectEvent
    return ev.WarningEvent


def _is_of_change(entry: Entry, kind: Kind) -> bool:
    """Whether a refusal is of the change that is under way; a number used twice is not."""
    return kind is not Kind.DUPLICATE_ID or entry.ended_changing


def family_of(exec_id: str) -> tuple[FillId, int]:
    """Split an execution's id: a correction has the same family and a higher revision."""
    family, _, revision = exec_id.rpartition(".")
    if family and revision.isdecimal():
        return FillId(family), int(revision)
    return FillId(exec_id), 0
