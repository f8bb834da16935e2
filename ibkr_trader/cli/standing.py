"""`status`: where orders go, whether the desk would take one, and what is not as it should be."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli import output
from ibkr_trader.cli.alarm_view import words_of
from ibkr_trader.cli.arming_view import arming_document, arming_rows
from ibkr_trader.cli.care_words import care_names, looked_after
from ibkr_trader.cli.day_view import day_document, day_rows, price_held
from ibkr_trader.cli.halts import halts
from ibkr_trader.cli.order_view import sentence
from ibkr_trader.cli.trading import desk_for, name
from ibkr_trader.cli.wording import when
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import Care, OrderStatus
from ibkr_trader.core.errors import JournalError
from ibkr_trader.core.events import DriftEvent
from ibkr_trader.core.ids import short_id
from ibkr_trader.core.text import quantity
from ibkr_trader.portfolio.protection import protections
from ibkr_trader.risk.traffic import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.cli.face import Face
    from ibkr_trader.core.models import Order
    from ibkr_trader.execution.desk import Desk
    from ibkr_trader.risk.view import RiskView

_RECENT = timedelta(days=1)
_RECORDS = 2_000  # of the journal's end: an answer in a blink, however old the journal is


async def status(face: Face) -> output.Reply:
    """Return where orders go and whether the desk would take one."""
    async with desk_for(face) as desk:
        await price_held(desk)
        drift, fault = _recent_drift(desk)
        unknown = lost(desk.trader.portfolio.orders.values())
        return output.Reply(
            schema="status/1",
            data=_document(face, desk, drift=drift, unknown=unknown)
            | {"journal_fault": fault or None},
            blocks=[
                _table(face, desk, drift=drift, unknown=unknown),
                *([f"{fault}: ibkr-trader audit verify"] if fault else []),
            ],
        )


def lost(orders: Iterable[Order]) -> list[Order]:
    """Return the orders of which nobody knows whether they are live."""
    return [order for order in orders if order.status is OrderStatus.UNKNOWN]


def doubt(order: Order) -> str:
    """Return what to say of an order of which nothing is known."""
    return f"{short_id(order.order_id)} {sentence(order.spec)}: it may be live. Never repeat it"


def _document(
    face: Face, desk: Desk, *, drift: list[DriftEvent], unknown: list[Order]
) -> dict[str, Any]:
    trader, settings = desk.trader, face.settings()
    view = trader.outlook.view()
    return {
        "profile": settings.profile.value,
        "account": trader.account,
        "time": trader.clock.now(),
        "trading_state": view.trading_state,
        "state_reason": view.state_reason,
        "halts": [one.document() for one in halts(desk)],
        "kill_flag": str(settings.place.kill_flag),
        "arming": arming_document(desk),
        "limits_fault": view.limits_fault,
        "sectors_fault": view.sectors_fault,
        "is_synced": view.is_synced,
        "open_orders": len(trader.portfolio.orders),
        "unknown_orders": [order.order_id for order in unknown],
        "positions": len(trader.portfolio.positions),
        "day": day_document(desk),
        "efficiency": _efficiency_document(view),
        "unprotected": _unprotected(desk),
        "adopted": care_names(desk, Care.ADOPTED),
        "released": care_names(desk, Care.RELEASED),
        "drift": [found.subject for found in trader.portfolio.drift.values()],
        "recent_drift": [
            {"at": one.at, "subject": one.subject, "ours": one.ours, "theirs": one.theirs}
            for one in drift
        ],
        "data_dir": str(settings.data_dir),
        "install": trader.journal.state.install,
        "alarms": [one.key for one in trader.alarming.standing],
        "trader": face.trader.document() if face.trader is not None else None,
    }


def _table(
    face: Face, desk: Desk, *, drift: list[DriftEvent], unknown: list[Order]
) -> output.Table:
    trader, settings = desk.trader, face.settings()
    view, portfolio = trader.outlook.view(), trader.portfolio
    rows = [
        ("account", name(settings, desk)),
        ("exchange time", when(trader.clock.now(), utc=face.utc)),
        ("state", view.trading_state.value),
        *arming_rows(face, desk),
        *_held_back(face, desk),
        *(("nothing opens", line) for line in view.limits_fault.splitlines()),
        *(("nothing opens", line) for line in view.sectors_fault.splitlines()),
        ("in sync", "yes" if view.is_synced else "no"),
        ("open orders", str(len(portfolio.orders))),
        *(("UNKNOWN", doubt(order)) for order in unknown),
        ("positions", str(len(portfolio.positions))),
        *day_rows(desk),
        ("efficiency", _efficiency(view)),
        *(("NOT COVERED", f"{name}: ibkr-trader cover") for name in _unprotected(desk)),
        *((care.value, ", ".join(n)) for care in Care if (n := care_names(desk, care))),
        ("drift", ", ".join(portfolio.drift) or "none"),
        *(("drift before", _told(one, utc=face.utc)) for one in drift),
        *(("ALARM", words_of(one)) for one in trader.alarming.standing),
        ("data folder", str(settings.data_dir)),
    ]
    if face.trader is not None:
        rows.insert(1, ("trader", face.trader.words(utc=face.utc)))
        ways = f"ibkr-trader halt, kill -USR1 {os.getpid()}, touch {settings.place.kill_flag}"
        rows.insert(2, ("to halt it", ways))
        rows[3:3] = face.trader.light_rows() + face.trader.signal_rows()
    return output.Table(("WHAT", "IS"), tuple(rows))


def _efficiency(view: RiskView) -> str:
    """What IBKR calls the order-efficiency ratio."""
    most = f"{quantity(view.limits.max_efficiency)} is the most"
    if view.traffic is None or not view.traffic.messages:
        return f"nothing was sent today; {most}"
    return f"{ratio(view.traffic):.1f} messages an order that traded; {most}"


def _efficiency_document(view: RiskView) -> dict[str, Any]:
    traffic = view.traffic
    return {
        "ratio": ratio(traffic) if traffic is not None else None,
        "limit": view.limits.max_efficiency,
        "messages": traffic.messages if traffic is not None else 0,
        "traded": traffic.executions if traffic is not None else 0,
    }


def _held_back(face: Face, desk: Desk) -> list[tuple[str, str]]:
    """A row for everything that keeps from opening: why, since when, by whom, how it ends."""
    return [(f"{one.state} {one.symbol}".strip(), one.words(utc=face.utc)) for one in halts(desk)]


def _unprotected(desk: Desk) -> list[str]:
    """What stops do not cover exactly."""
    guards = looked_after(desk, protections(desk.trader.portfolio).values())
    return [label(guard.position.contract) for guard in guards if not guard.is_exact]


def _recent_drift(desk: Desk) -> tuple[list[DriftEvent], str]:
    """The last day's drift that is on record, oldest first; a subject's newest word only.

    And why it may be more, if the record cannot be read to its end.

    The simulator's clock may have been set back since: a day ahead is of late, too.
    """
    journal, now = desk.trader.journal, desk.trader.clock.now()
    newest = journal.state.last_record
    found: dict[str, DriftEvent] = {}
    fault = ""
    try:
        for _, event in journal.messages(since=max(0, newest - _RECORDS)):
            if isinstance(event, DriftEvent) and abs(now - event.at) < _RECENT:
                found.pop(event.subject, None)
                found[event.subject] = event
    except JournalError as error:
        fault = error.message  # of the past; how things stand is another matter
    current = desk.trader.portfolio.drift
    return [event for event in found.values() if event.subject not in current], fault


def _told(drift: DriftEvent, *, utc: bool) -> str:
    where = f"at {when(drift.at, utc=utc)}"
    return f"{drift.subject}: ours {drift.ours}, the broker's {drift.theirs}, {where}"
