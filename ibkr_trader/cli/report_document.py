"""A report as a document for scripts: everything, under plain names, latencies in milliseconds."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.portfolio.forensics import Latency

if TYPE_CHECKING:
    from ibkr_trader.cli.report_facts import Report
    from ibkr_trader.portfolio.forensic_summary import Cost, Spread, Summary
    from ibkr_trader.portfolio.forensics import Execution, Shortfall, Trip
    from ibkr_trader.portfolio.performance import Performance

_MILLISECOND = timedelta(milliseconds=1)
_PLACES = Decimal("0.0001")


def document(report: Report) -> dict[str, Any]:
    """Return everything for scripts: latencies in milliseconds."""
    return {
        "profile": report.profile,
        "since": report.since,
        "until": report.until,
        "by": report.by,
        "performance": [_performance(one) for one in report.performance],
        "trips": [_trip(one) for one in report.trips],
        "orders": [execution_document(one) for one in report.orders],
        "summary": [_summary(one) for one in report.groups],
        "efficiency": [_messages(one) for one in report.rules if one.count],
        "left_out": list(report.left_out),
    }


def execution_document(one: Execution) -> dict[str, Any]:
    """Return what became of an order on its way, under plain names."""
    signal, decision = one.signal, one.decision
    return {
        "id": one.order_id,
        "symbol": one.spec.contract.symbol,
        "con_id": one.spec.contract.con_id,
        "currency": one.spec.contract.currency,
        "role": one.spec.role,
        "side": one.spec.side,
        "type": one.spec.order_type,
        "quantity": one.spec.quantity,
        "limit_price": one.spec.limit_price,
        "stop_price": one.spec.stop_price,
        "rule": one.rule,
        "origin": one.origin,
        "correlation_id": one.correlation_id,
        "signal": msgspec.structs.asdict(signal) if signal is not None else None,
        "decided_at": decision.at if decision is not None else None,
        "decision_price": decision.price if decision is not None else None,
        "sent_at": one.sent_at,
        "accepted_at": one.accepted_at,
        "first_fill_at": one.first_fill_at,
        "last_fill_at": one.last_fill_at,
        "latency_ms": {stage: _ms(one.latencies.get(stage)) for stage in Latency},
        "filled": one.filled,
        "average_price": _mean(one.average_price),
        "commission": one.commission,
        "against_signal": _shortfall(one.against_signal),
        "against_decision": _shortfall(one.against_decision),
        "slippage": _shortfall(one.slippage),
        "changes": one.changes,
        "cancels": one.cancels,
    }


def _shortfall(found: Shortfall | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "reference": found.reference,
        "money": found.money,
        "bp": _mean(found.bp),
        "with_commission": found.total,
        "with_commission_bp": _mean(found.total_bp),
    }


def _performance(one: Performance) -> dict[str, Any]:
    return {
        "currency": one.currency,
        "trips": one.record.count,
        "wins": one.record.wins,
        "win_rate": _mean(one.win_rate),
        "average_win": _mean(one.record.average_win),
        "average_loss": _mean(one.record.average_loss),
        "net": one.net,
        "commission": one.commission,
    }


def _trip(one: Trip) -> dict[str, Any]:
    return {
        "symbol": one.contract.symbol,
        "currency": one.contract.currency,
        "opened_at": one.trip.opened_at,
        "closed_at": one.trip.closed_at,
        "opened_by": one.trip.parts[0].order_id,
        "rule": one.opener.rule if one.opener is not None else None,
        "realized": one.realized,
        "commission": one.trip.commission,
        "net": one.net,
        "shortfall": one.shortfall,
    }


def _summary(one: Summary) -> dict[str, Any]:
    return {
        "key": one.key,
        "currency": one.currency,
        "orders": one.count,
        "filled": one.filled,
        "latency_ms": {stage: _spread(one.latencies.get(stage)) for stage in Latency},
        "shortfall": _cost(one.shortfall),
        "against_signal": _cost(one.against_signal),
        "against_decision": _cost(one.against_decision),
        "slippage": _cost(one.slippage),
        "commission": one.commission,
        "uncharged": one.uncharged,
        "trips": one.trips,
        "wins": one.wins,
        "realized": one.realized,
        "net": one.net,
        "ideal": one.ideal,
        "edge_is_eaten": one.edge_is_eaten,
    }


def _messages(one: Summary) -> dict[str, Any]:
    return {
        "origin": one.key,
        "currency": one.currency,
        "sent": one.submits,
        "changed": one.changes,
        "cancelled": one.cancels,
        "traded": one.filled,
        "messages_each": _mean(one.messages_per_fill),
    }


def _cost(found: Cost | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "orders": found.count,
        "money": found.money,
        "mean": _mean(found.mean),
        "bp": _mean(found.bp),
    }


def _spread(found: Spread | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"orders": found.count, "median": _ms(found.median), "p95": _ms(found.p95)}


def _ms(length: timedelta | None) -> float | None:
    return None if length is None else round(length / _MILLISECOND, 3)


def _mean(value: Decimal | None) -> Decimal | None:
    """The outcome of a division, to four decimals: the rest is for no reader."""
    return None if value is None else value.quantize(_PLACES, rounding=ROUND_HALF_EVEN) + 0
