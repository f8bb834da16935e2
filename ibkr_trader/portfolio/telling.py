"""What an event is told as: from one fact on the bus to its published payloads.

Payloads are made from the event and the picture after it, so a journal that is read again makes
the same ones, by the same ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.accounts import masked, without_accounts
from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import FillId
from ibkr_trader.core.text import SENTENCES, plain
from ibkr_trader.portfolio.payload_figures import figure, maybe, named, position_snapshot
from ibkr_trader.portfolio.payloads import (
    ExecutionFill,
    FillKind,
    LifecycleKind,
    OrderLifecycleEvent,
    Payload,
    PositionSnapshot,
    SignalDecision,
    SignalKind,
)

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Fill, Order, OrderId, OrderSpec
    from ibkr_trader.portfolio.state import PortfolioState

TOLD = (ev.OrderEvent, ev.PositionEvent, ev.OptionsFlowEvent, ev.DecisionEvent,
        ev.DecisionEndEvent, ev.SyncEvent)  # fmt: skip
_DIGITS = 16  # of a digest: two facts of one order with the same one will not be seen


class Source(NamedTuple):
    """Who asked for an order, and what ties it to its cause: only its first event says so."""

    origin: str = ""
    correlation_id: str = ""


Sources = Mapping["OrderId", Source]
NOBODY = Source()
_NONE: Sources = MappingProxyType({})


def payloads_of(
    event: ev.BaseEvent, portfolio: PortfolioState, *, sources: Sources = _NONE
) -> tuple[Payload, ...]:
    """Return what `event` is told as; nothing if it is no news for others.

    Args:
        event: Any event.
        portfolio: The account as it stands after it.
        sources: Who asked for the orders, as far as anybody knows; of a `NewOrderEvent` it says
            so itself.
    """
    match event:
        case ev.FillEvent():
            return (_fill(event, portfolio, sources), _step(event, portfolio, sources))
        case ev.CommissionEvent():
            return _cost(event, portfolio, sources)
        case ev.OrderEvent():
            return (_step(event, portfolio, sources),)
        case ev.PositionEvent():
            return (_position(event, portfolio),)
        case ev.SyncEvent():
            return _positions(event, portfolio)
        case ev.OptionsFlowEvent() | ev.DecisionEvent() | ev.DecisionEndEvent():
            return (_decision(event),)
        case _:
            return ()


def source_of(event: ev.NewOrderEvent) -> Source:
    """Return who asked for a new order."""
    return Source(event.origin, event.correlation_id)


# -- orders -------------------------------------------------------------------------------

_KINDS: Mapping[type[ev.OrderEvent], LifecycleKind] = {
    ev.NewOrderEvent: LifecycleKind.NEW,
    ev.DenyEvent: LifecycleKind.DENIED,
    ev.NotSentEvent: LifecycleKind.NOT_SENT,
    ev.AcceptEvent: LifecycleKind.ACCEPTED,
    ev.AdoptEvent: LifecycleKind.ADOPTED,
    ev.StatusEvent: LifecycleKind.STATUS,
    ev.FillEvent: LifecycleKind.FILL,
    ev.DoneEvent: LifecycleKind.DONE,
    ev.ModifyEvent: LifecycleKind.MODIFY_REQUESTED,
    ev.ModifyRejectEvent: LifecycleKind.MODIFY_REJECTED,
    ev.CancelRequestEvent: LifecycleKind.CANCEL_REQUESTED,
    ev.CancelEvent: LifecycleKind.CANCELLED,
    ev.CancelRejectEvent: LifecycleKind.CANCEL_REJECTED,
    ev.ExpireEvent: LifecycleKind.EXPIRED,
    ev.RejectEvent: LifecycleKind.REJECTED,
    ev.HoldEvent: LifecycleKind.HELD,
    ev.UnknownEvent: LifecycleKind.UNKNOWN,
    ev.WarningEvent: LifecycleKind.WARNING,
}


def _step(event: ev.OrderEvent, portfolio: PortfolioState, sources: Sources) -> OrderLifecycleEvent:
    kind, order = _KINDS[type(event)], portfolio.order(event.order_id)
    known: OrderSpec | None = getattr(event, "spec", None)
    spec = known if known is not None or order is None else order.spec
    source = sources.get(event.order_id, NOBODY)
    if isinstance(event, ev.NewOrderEvent):
        source = source_of(event)
    return OrderLifecycleEvent(
        event_id=f"{event.order_id}.{kind}.{_digest(event, order)}",
        at=event.at,
        kind=kind,
        order_id=event.order_id,
        correlation_id=plain(source.correlation_id),
        origin=plain(source.origin),
        **_words(event, order),
        **({} if spec is None else _terms(spec)),
        **({} if order is None else _standing(order)),
    )


def _terms(spec: OrderSpec) -> dict[str, Any]:
    return {
        "group_id": spec.group_id,
        "account": masked(spec.account),
        "symbol": ticker(spec.contract),
        "con_id": spec.contract.con_id,
        "side": spec.side,
        "order_type": spec.order_type,
        "role": spec.role,
        "time_in_force": spec.time_in_force,
        "quantity": figure(spec.quantity),
        "limit_price": maybe(spec.limit_price),
        "stop_price": maybe(spec.stop_price),
        "trail_amount": maybe(spec.trail_amount),
        "trail_percent": maybe(spec.trail_percent),
        "broker_order_id": spec.broker_order_id,
    }


def _standing(order: Order) -> dict[str, Any]:
    return {
        "status": order.status,
        "filled": figure(order.filled),
        "average_price": maybe(order.average_fill_price),
        "perm_id": order.perm_id,
        "is_foreign": order.is_foreign,
    }


def _words(event: ev.OrderEvent, order: Order | None) -> dict[str, Any]:
    """What was said with the event; without that, what was said of the order last."""
    if isinstance(event, ev.DenyEvent):
        reason = " ".join(breach.message for breach in event.breaches if not breach.is_warning)
        checks = dict.fromkeys(one.check for one in event.breaches if not one.is_warning)
        return {"reason": _said(reason), "denied_by": tuple(checks)}
    reason, code = getattr(event, "reason", ""), getattr(event, "code", 0)
    if not (reason or code) and order is not None:
        reason, code = order.reason, order.code
    return {"reason": _said(reason), "code": code}


def _said(text: str) -> str:
    """Foreign words made harmless, without the account's id that a broker may put into them."""
    return plain(without_accounts(text), limit=SENTENCES)


# -- executions ---------------------------------------------------------------------------


def _fill(event: ev.FillEvent, portfolio: PortfolioState, sources: Sources) -> ExecutionFill:
    told, known = event.fill, portfolio.fills.get(event.fill.fill_id)
    if known is not None and known.revision == told.revision:
        told = known  # its commission may have come before it
    kind = FillKind.EXECUTION if event.replaces is None else FillKind.CORRECTION
    before = None if event.replaces is None else event.replaces.revision
    return _execution(told, portfolio, sources, kind=kind, at=event.at, corrects=before)


def _cost(
    event: ev.CommissionEvent, portfolio: PortfolioState, sources: Sources
) -> tuple[ExecutionFill, ...]:
    """What an execution has cost; nothing while nobody has told of the execution itself."""
    known = portfolio.fills.get(FillId(event.fill_id))
    if known is None:
        return ()
    return (_execution(known, portfolio, sources, kind=FillKind.COST, at=event.at),)


def _execution(
    fill: Fill,
    portfolio: PortfolioState,
    sources: Sources,
    *,
    kind: FillKind,
    at: datetime,
    corrects: int | None = None,
) -> ExecutionFill:
    order, source = portfolio.order(fill.order_id), sources.get(fill.order_id, NOBODY)
    name = f"{fill.fill_id}.{fill.revision}"
    return ExecutionFill(
        event_id=f"{name}.cost" if kind is FillKind.COST else name,
        at=at,
        kind=kind,
        fill_id=fill.fill_id,
        revision=fill.revision,
        executed_at=fill.at,
        order_id=fill.order_id,
        group_id="" if order is None else order.spec.group_id,
        correlation_id=plain(source.correlation_id),
        origin=plain(source.origin),
        account=masked(fill.account),
        symbol=ticker(fill.contract),
        con_id=fill.contract.con_id,
        side=fill.side,
        quantity=figure(fill.quantity),
        price=figure(fill.price),
        commission=maybe(fill.commission),
        realized_pnl=maybe(fill.realized_pnl),
        exchange=fill.exchange,
        corrects=corrects,
        perm_id=fill.perm_id,
    )


# -- positions ----------------------------------------------------------------------------


def _position(event: ev.PositionEvent, portfolio: PortfolioState) -> PositionSnapshot:
    held, cause = event.position, event.cause or ""
    parts = (held.contract.con_id, figure(held.quantity), cause, named(event.at))
    return position_snapshot(
        held,
        portfolio.orders.values(),
        at=event.at,
        cause=cause,
        event_id=f"position.{'.'.join(map(str, parts))}",
    )


def _positions(event: ev.SyncEvent, portfolio: PortfolioState) -> tuple[PositionSnapshot, ...]:
    """All that is held once the broker has said so, and what of the day is flat by now."""
    flat = {con_id: book.position for con_id, book in portfolio.books.items()}
    held = {**flat, **portfolio.positions}
    orders = portfolio.orders.values()
    return tuple(position_snapshot(one, orders, at=event.at) for one in held.values())


# -- signals and decisions ----------------------------------------------------------------


def _decision(
    event: ev.OptionsFlowEvent | ev.DecisionEvent | ev.DecisionEndEvent,
) -> SignalDecision:
    if isinstance(event, ev.OptionsFlowEvent):
        kind, more = _signal(event)
        name = f"{plain(event.source)}/{plain(event.signal_id)}"
        more |= {
            "symbol": plain(event.ticker),
            "source": plain(event.source),
            "signal_id": plain(event.signal_id),
            "issued_at": event.issued_at,
        }
    else:
        kind, more = _decided(event)
        name = event.decision_id
        more |= {"decision_id": name, "strategy": event.strategy}
    return SignalDecision(
        event_id=f"{name}.{kind}.{_digest(event)}", at=event.at, kind=kind, **more
    )


def _signal(event: ev.OptionsFlowEvent) -> tuple[SignalKind, dict[str, Any]]:
    match event:
        case ev.PredictionSignalEvent():
            return SignalKind.SIGNAL, {
                "action": event.signal,
                "confidence": figure(event.confidence),
                "price": maybe(event.price),
            }
        case ev.SignalRefusedEvent():
            reasons = (plain(event.message, limit=SENTENCES),)
            return SignalKind.REFUSED, {
                "code": event.code, "reasons": reasons, "count": event.count,
            }  # fmt: skip
        case ev.SignalEndEvent():
            return SignalKind.SIGNAL_END, {
                "outcome": event.outcome,
                "decisions": event.decisions,
                "reasons": _all(event.reasons),
            }
        case ev.FlowThresholdEvent():
            return SignalKind.FLOW, {
                "measure": plain(event.measure),
                "value": figure(event.value),
                "threshold": figure(event.threshold),
            }
        case _:
            raise InvariantBroken(f"nobody has said how {type(event).__name__} is told")


def _decided(
    event: ev.DecisionEvent | ev.DecisionEndEvent,
) -> tuple[SignalKind, dict[str, Any]]:
    if isinstance(event, ev.DecisionEndEvent):
        return SignalKind.DECISION_END, {
            "outcome": event.outcome,
            "reasons": _all(event.reasons),
            "order_ids": event.order_ids,
        }
    return SignalKind.DECISION, {
        "symbol": plain(event.ticker),
        "rule": event.rule,
        "version": event.version,
        "cause": plain(event.cause),
        "wish": event.wish,
        "terms": {name: plain(text) for name, text in event.terms.items()},
        "facts": {name: plain(text) for name, text in event.facts.items()},
        "price": maybe(event.price),
        "is_shadow": event.is_shadow,
    }


def _all(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(plain(one, limit=SENTENCES) for one in words)


def _digest(event: ev.BaseEvent, order: Order | None = None) -> str:
    """What tells one fact from another of the same order and kind: all that it says.

    The same words of the broker may mean something else later on; so what came of them counts.
    """
    outcome = "" if order is None else f"{order.status} {order.filled}"
    return hashlib.sha256(codec.encode(event) + outcome.encode()).hexdigest()[:_DIGITS]
