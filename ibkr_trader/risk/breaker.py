"""When the broker refuses again and again, or says nothing: from when on to stop opening.

A fold over orders and what was answered, and the rule over it. Exits never count: a refused
stop is a reason to act, not to stand still. A person who resumes begins the count anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.tallies import Awaited, Refusal, Strikes
from ibkr_trader.risk.switch import EVERYTHING
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.risk.limits import RiskLimits

# Who decided, where a halt says so.
REJECTS, UNKNOWN, READ_ONLY, DOUBT = "rejects", "unknown", "read-only API", "doubt"
_REFUSED_AS_IT_STANDS = 321
_MOST = 100  # refusals remembered
_ANSWERS = (
    ev.AcceptEvent,
    ev.StatusEvent,
    ev.FillEvent,
    ev.DoneEvent,
    ev.HoldEvent,
    ev.CancelEvent,
    ev.ExpireEvent,
    ev.RejectEvent,
)


class Trip(NamedTuple):
    """The breaker is out: for `symbol`, or (empty) for everything."""

    symbol: str
    origin: str
    reason: str
    limit: int
    number: int


def after(strikes: Strikes, event: ev.BaseEvent, order: Order | None) -> Strikes:
    """Return the strikes with one more event; the same object if it changes nothing.

    `order` is the one that the event is about, as it stands after it.
    """
    match event:
        case ev.NewOrderEvent(spec=spec):
            opens = not (event.reduces or spec.role.is_protective)
            # What goes out together is one command, and has one moment.
            awaited = Awaited(f"{spec.group_id} {event.at.isoformat()}", opens)
            waiting = {**strikes.waiting, spec.order_id: awaited}
            return msgspec.structs.replace(strikes, waiting=waiting)
        case ev.UnknownEvent(order_id=order_id) if order_id in strikes.waiting:
            command = strikes.waiting[order_id].command
            if command in strikes.unanswered:
                return strikes
            return msgspec.structs.replace(strikes, unanswered=(*strikes.unanswered, command))
        case ev.NotSentEvent(order_id=order_id) if order_id in strikes.waiting:
            return msgspec.structs.replace(strikes, waiting=_without(strikes, order_id))
        case ev.RejectEvent():
            return _refused(strikes, event, order)
        case ev.StateEvent(state=TradingState.ACTIVE, symbol=symbol):
            return _resumed(strikes, symbol)
        case _:
            return _answered(strikes, event)


def trips(strikes: Strikes, limits: RiskLimits, now: datetime) -> Iterator[Trip]:
    """Yield what the strikes of `now` amount to, everything before single symbols."""
    if (count := len(strikes.unanswered)) >= limits.max_unknown:
        reason = f"{count} commands in a row were not answered by the broker"
        yield Trip(EVERYTHING, UNKNOWN, reason, limits.max_unknown, count)
    recent = refused(strikes, limits, now)
    within = f"were refused by the broker within {seconds(limits.reject_window)}"
    if (count := sum(recent.values())) >= limits.max_rejects:
        yield Trip(EVERYTHING, REJECTS, f"{count} orders {within}", limits.max_rejects, count)
    for symbol, count in recent.items():
        if count >= limits.max_rejects_per_symbol:
            reason = f"{count} orders in {symbol} {within}"
            yield Trip(symbol, REJECTS, reason, limits.max_rejects_per_symbol, count)


def takes_no_orders(event: ev.RejectEvent) -> str:
    """Return why the broker takes no order whatever, if that is what `event` says; else nothing.

    One refusal is enough: until somebody changes a setting in TWS, each order would meet another.
    """
    if event.code != _REFUSED_AS_IT_STANDS or "read-only" not in event.reason.lower():
        return ""
    return (
        "TWS takes no orders from the API: untick Read-Only API in TWS "
        "(Global Configuration, API, Settings)"
    )


def refused(strikes: Strikes, limits: RiskLimits, now: datetime) -> dict[str, int]:
    """Return how often each symbol was refused within the window; a later clock counts, too."""
    found: dict[str, int] = {}
    for refusal in strikes.refusals:
        if now - refusal.at < limits.reject_window:
            found[refusal.symbol] = found.get(refusal.symbol, 0) + 1
    return found


def _refused(strikes: Strikes, event: ev.RejectEvent, order: Order | None) -> Strikes:
    awaited = strikes.waiting.get(event.order_id)
    strikes = _answered(strikes, event)
    if order is None or order.is_foreign:
        return strikes
    opens = awaited.opens if awaited is not None else not order.spec.role.is_protective
    if not opens:
        return strikes
    refusal = Refusal(event.at, ticker(order.spec.contract))
    return msgspec.structs.replace(strikes, refusals=(*strikes.refusals, refusal)[-_MOST:])


def _answered(strikes: Strikes, event: ev.BaseEvent) -> Strikes:
    if not isinstance(event, _ANSWERS) or event.order_id not in strikes.waiting:
        return strikes
    waiting = _without(strikes, event.order_id)
    return msgspec.structs.replace(strikes, waiting=waiting, unanswered=())


def _without(strikes: Strikes, order_id: OrderId) -> dict[OrderId, Awaited]:
    return {name: one for name, one in strikes.waiting.items() if name != order_id}


def _resumed(strikes: Strikes, symbol: str) -> Strikes:
    if symbol == EVERYTHING:
        return msgspec.structs.replace(strikes, refusals=(), unanswered=())
    kept = tuple(one for one in strikes.refusals if one.symbol != symbol)
    return msgspec.structs.replace(strikes, refusals=kept)
