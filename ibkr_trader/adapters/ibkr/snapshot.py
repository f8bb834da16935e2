"""Everything the gateway knows, asked and answered in one go.

Five answers, each with an end of its own; a missing end is a failure and never an empty
answer. If something executes meanwhile, positions are asked again, so that fills and
positions tell the same story.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr import messages as m
from ibkr_trader.core.enums import OrderStatus as S
from ibkr_trader.core.models import ZERO, Order, Position
from ibkr_trader.execution.ports import BrokerSnapshot

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ibkr_trader.adapters.ibkr.roster import Entry, Roster
    from ibkr_trader.core.models import AccountValues, Fill, FillId, OrderId

ENDS = (
    "openOrderEnd",
    "completedOrdersEnd",
    "execDetailsEnd",
    "positionEnd",
    "accountDownloadEnd",
)
_STATUSES = {
    "PendingSubmit": S.PRESUBMITTED,  # the gateway has it, the exchange does not
    "ApiPending": S.PRESUBMITTED,
    "PreSubmitted": S.PRESUBMITTED,
    "Submitted": S.SUBMITTED,
    "PendingCancel": S.PENDING_CANCEL,
    "Inactive": S.INACTIVE,
    "Filled": S.FILLED,
    "Cancelled": S.CANCELLED,
    "ApiCancelled": S.CANCELLED,
}
_COMPLETED = {"Filled": S.FILLED, "Inactive": S.REJECTED}


class Collection:
    """What has come in so far of one snapshot."""

    def __init__(self, roster: Roster, account: str) -> None:
        self._roster = roster
        self._account = account
        self._open: dict[tuple[str, int, int], m.OrderReport] = {}
        self._statuses: dict[tuple[str, int, int], m.StatusReport] = {}
        self._completed: list[m.OrderReport] = []
        self._positions: dict[int, m.PositionReport] = {}
        self._fills_of: dict[OrderId, list[Fill]] = {}
        self.fills: dict[FillId, Fill] = {}
        self.live: set[FillId] = set()  # of these, those that have just happened
        self.is_disturbed = False  # something executed since positions were asked
        self.failure = ""  # why it can never be complete

    def add_order(self, entry: Entry, report: m.OrderReport | m.StatusReport) -> None:
        """Take the terms or the status of an order that is open."""
        # One of our ids may be at the broker twice; that must be seen, not merged.
        key = (entry.order_id, report.order_id, report.perm_id)
        if isinstance(report, m.StatusReport):
            self._statuses[key] = report
        elif report.account in {"", self._account}:
            self._open[key] = report

    def add_completed(self, report: m.OrderReport) -> None:
        """Take an order that is over."""
        if report.account == self._account:
            self._completed.append(report)

    def add_fill(self, fill: Fill) -> None:
        """Take an execution; of its revisions the latest counts."""
        seen = self.fills.get(fill.fill_id)
        if seen is None or fill.revision > seen.revision:
            self.fills[fill.fill_id] = fill

    def add_commission(self, fill_id: FillId, report: m.Commission) -> None:
        """Take what an execution cost."""
        fill = self.fills[fill_id]
        self.fills[fill_id] = msgspec.structs.replace(
            fill, commission=report.commission, realized_pnl=report.realized_pnl
        )

    def add_position(self, report: m.PositionReport) -> None:
        """Take what is held of one contract; zero is nothing."""
        if report.account == self._account:
            self._positions[report.contract.con_id] = report

    def forget_positions(self) -> None:
        """Start over with positions: they are asked again."""
        self._positions.clear()
        self.is_disturbed = False

    def snapshot(
        self, *, epoch: int, dialled: int, at: datetime, values: AccountValues
    ) -> BrokerSnapshot:
        """Return it as a whole."""
        for fill in self.fills.values():
            self._fills_of.setdefault(fill.order_id, []).append(fill)
        orders = [self._open_order(key) for key in self._open]
        over = [order for order in orders if order.status.is_closed]
        over += [self._completed_order(report) for report in self._completed]
        return BrokerSnapshot(
            epoch=epoch,
            dialled=dialled,
            at=at,
            account=self._account,
            open_orders=tuple(order for order in orders if not order.status.is_closed),
            completed_orders=tuple({order.order_id: order for order in over}.values()),
            fills=tuple(sorted(self.fills.values(), key=lambda fill: (fill.at, fill.fill_id))),
            positions=tuple(
                _position(report, at) for report in self._positions.values() if report.quantity
            ),
            values=values,
        )

    def _open_order(self, key: tuple[str, int, int]) -> Order:
        report = self._open[key]
        entry = self._meet(report)
        status = self._statuses.get(key)
        text = status.status if status is not None else report.status
        claimed = status.filled if status is not None else ZERO
        standing = _STATUSES.get(text, S.UNKNOWN)
        if standing is S.SUBMITTED and claimed:
            standing = S.PARTIALLY_FILLED
        return self._order(entry, report, status=standing, claimed=claimed, status_report=status)

    def _completed_order(self, report: m.OrderReport) -> Order:
        entry = self._meet(report)
        entry.is_closed = True
        status = _COMPLETED.get(report.status, S.CANCELLED)
        return self._order(entry, report, status=status, claimed=report.filled)

    def _order(
        self,
        entry: Entry,
        report: m.OrderReport,
        *,
        status: S,
        claimed: Decimal,
        status_report: m.StatusReport | None = None,
    ) -> Order:
        fills = self._fills_of.get(entry.order_id, [])
        spec = self._roster.spec_of(entry, report)
        if not spec.quantity and entry.spec is not None:
            spec = msgspec.structs.replace(spec, quantity=entry.spec.quantity)
        return Order(
            spec=spec,
            status=status,
            filled=sum((fill.quantity for fill in fills), ZERO),
            filled_value=sum((fill.quantity * fill.price for fill in fills), ZERO),
            commission=sum((fill.commission or ZERO for fill in fills), ZERO),
            reported_filled=claimed,
            perm_id=entry.perm_id,
            client_id=entry.client_id,
            held_for=status_report.held_for if status_report is not None else "",
            reason=report.remark,
            is_foreign=entry.is_foreign,
        )

    def _meet(self, report: m.OrderReport) -> Entry:
        return self._roster.meet(
            ref=report.ref,
            client_id=report.client_id,
            number=report.order_id,
            perm_id=report.perm_id,
        )


def _position(report: m.PositionReport, at: datetime) -> Position:
    return Position(
        account=report.account,
        contract=report.contract,
        quantity=report.quantity,
        average_cost=report.average_cost,
        updated_at=at,
    )
