"""A report in lines and tables for people.

A shortfall is a cost: positive where it was bought dearer, or sold cheaper, than the price that
was seen first (the signal's, else the market's when a rule decided, else a stop's trigger).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from ibkr_trader.cli.output import Table
from ibkr_trader.cli.wording import counted, when
from ibkr_trader.core.contracts import label
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import UNKNOWN, average, money, percent, quantity
from ibkr_trader.dashboard.panels.equity import sparkline
from ibkr_trader.portfolio.forensics import Latency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibkr_trader.cli.report_facts import Report
    from ibkr_trader.portfolio.forensic_summary import By, Spread, Summary
    from ibkr_trader.portfolio.forensics import Execution

_SHOWN = 20  # orders, the newest; all of them are in the document
_CELLS = 40  # of the curve
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_TENTH = Decimal("0.1")
_HEADERS = {
    Latency.SIGNAL: "SIGNAL",
    Latency.DECISION: "DECIDE",
    Latency.SEND: "SEND",
    Latency.ACCEPT: "ACCEPT",
    Latency.FILL: "FILL",
}


def blocks(report: Report, *, utc: bool) -> list[str | Table]:
    """Return the lines and tables for people."""
    traded = sum(bool(one.filled) for one in report.orders)
    since = f" since {when(report.since, utc=utc)}" if report.since is not None else ""
    head = f"{report.profile.upper()}  {counted(len(report.orders), 'order')}{since}"
    found: list[str | Table] = [f"{head}, {traded} of them traded", *went(report)]
    shown = report.orders[-_SHOWN:]
    found += ["", orders_table(shown)]
    if len(shown) < len(report.orders):
        found.append(f"  the newest {_SHOWN} of {len(report.orders):,}; --json has all of them")
    found += ["  times in ms; shortfall is what it cost against the price seen first"]
    found += ["", groups_table(report.groups, report.by)]
    found += ["", messages_table(report.rules)]
    return [*found, *remarks(report)]


def went(report: Report) -> list[str]:
    """Return the lines of how the round trips went."""
    if not report.performance:
        return ["no round trip has ended"]
    lines = []
    for one in report.performance:
        record = one.record
        lines.append(
            f"{counted(record.count, 'round trip')}: {record.wins} won "
            f"({percent(one.win_rate, digits=0)}), on average {money(record.average_win)} won and "
            f"{money(record.average_loss)} lost"
        )
        lines.append(
            f"  net {money(one.net, one.currency, signed=True)} after {money(one.commission)} of "
            f"commissions  {sparkline((ZERO, *one.curve), _CELLS)}"
        )
    return lines


def orders_table(orders: Sequence[Execution]) -> Table:
    """Return what became of each order; a stage that none of them has is left out."""
    stages = {
        stage: name
        for stage, name in _HEADERS.items()
        if any(stage in one.latencies for one in orders)
    }
    headers = (
        *("ORDER", "SYMBOL", "SIDE", "FILLED", "AVERAGE"),
        *stages.values(),
        *("SHORTFALL", "BP", "AGAINST"),
    )
    rows = tuple(
        (
            short_id(one.order_id),
            label(one.spec.contract),
            one.spec.side.value,
            f"{quantity(one.filled)}/{quantity(one.spec.quantity)}",
            average(one.average_price),
            *(lasted(one.latencies.get(stage)) for stage in stages),
            *_cost_cells(one),
        )
        for one in orders
    )
    right = frozenset({"FILLED", "AVERAGE", "SHORTFALL", "BP", *stages.values()})
    spare = ("SIDE", "AGAINST", "AVERAGE", "SIGNAL", "SEND", "DECIDE", "FILLED")
    return Table(headers, rows, right, spare=tuple(one for one in spare if one in headers))


def groups_table(groups: Sequence[Summary], by: By) -> Table:
    """Return what each rule, symbol or hour came to; latencies as middle / 95th."""
    first = by.value.upper()
    headers = (
        first,
        "ORDERS",
        "FILLED",
        "ACCEPT",
        "FILL",
        "SHORTFALL",
        "BP",
        "PAID",
        "TRIPS",
        "NET",
    )
    rows = tuple(
        (
            one.key,
            str(one.count),
            str(one.filled),
            spread(one.latencies.get(Latency.ACCEPT)),
            spread(one.latencies.get(Latency.FILL)),
            money(one.shortfall.money if one.shortfall else None, signed=True),
            points(one.shortfall.bp if one.shortfall else None),
            money(one.commission) if one.uncharged < one.filled else UNKNOWN,
            str(one.trips),
            money(one.net, one.currency, signed=True) if one.trips else UNKNOWN,
        )
        for one in groups
    )
    spare = ("PAID", "FILL", "ORDERS", "ACCEPT")
    return Table(headers, rows, frozenset(headers[1:]), spare=spare)


def messages_table(groups: Sequence[Summary]) -> Table:
    """Return how many messages each origin sent for an order that traded."""
    rows = tuple(
        (
            one.key,
            str(one.submits),
            str(one.changes),
            str(one.cancels),
            str(one.filled),
            _one_digit(one.messages_per_fill),
        )
        for one in groups
        if one.count
    )
    headers = ("ORIGIN", "SENT", "CHANGED", "CANCELLED", "TRADED", "MESSAGES EACH")
    return Table(headers, rows, frozenset(headers[1:]), spare=("CANCELLED", "CHANGED"))


def remarks(report: Report) -> list[str]:
    """Return a line for each rule that execution ruins, and for what is not known."""
    lines = [
        f"{one.key}: its edge is eaten by execution: {money(one.ideal, signed=True)} at the prices "
        f"seen first, {money(one.realized, signed=True)} as traded, "
        f"{money(one.net, one.currency, signed=True)} after commissions"
        for one in report.rules
        if one.edge_is_eaten
    ]
    if uncharged := sum(one.uncharged for one in report.rules):
        lines.append(f"  the commission of {counted(uncharged, 'order')} is not known")
    lines += [
        f"  {name}: its round trips are left out: not every execution of what is held is known"
        for name in report.left_out
    ]
    return lines


def lasted(length: timedelta | None) -> str:
    """Return how long something took: in milliseconds, and coarser from ten seconds on."""
    if length is None:
        return UNKNOWN
    if length < 10 * _SECOND:
        return _one_digit(Decimal(length // timedelta(microseconds=1)) / 1000)
    if length < 10 * _MINUTE:
        return f"{length // _SECOND}s"
    return f"{length // _MINUTE}m" if length < 10 * _HOUR else f"{length // _HOUR}h"


def spread(found: Spread | None) -> str:
    """Return a spread as its middle and its 95th."""
    return UNKNOWN if found is None else f"{lasted(found.median)} / {lasted(found.p95)}"


def points(bp: Decimal | None) -> str:
    """Return basis points with their sign and one decimal."""
    return UNKNOWN if bp is None else f"{_rounded(bp):+,f}"


def _one_digit(value: Decimal | None) -> str:
    return quantity(_rounded(value)) if value is not None else UNKNOWN


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_TENTH, rounding=ROUND_HALF_EVEN) + 0


def _cost_cells(one: Execution) -> tuple[str, str, str]:
    found = one.shortfall
    if found is None:
        return (UNKNOWN, UNKNOWN, "")
    return (
        money(found.money, signed=True),
        points(found.bp),
        f"{average(found.reference)} {_whose(one)}",
    )


def _whose(one: Execution) -> str:
    if one.against_signal is not None:
        return "signal"
    return "decision" if one.against_decision is not None else "stop"
