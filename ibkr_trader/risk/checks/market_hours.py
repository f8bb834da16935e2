"""Nothing is opened while its exchange is closed."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import TimeInForce
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import moment
from ibkr_trader.risk.check import check
from ibkr_trader.risk.view import FactMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ibkr_trader.core.models import ContractDetails, OrderSpec, Session
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


@check("market_hours")
def market_hours(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings outside the sessions in which they could trade."""
    for change in proposal.openings:
        details = view.contract_details(change.spec.contract)
        sessions = _sessions(change.spec, details)
        if not sessions:
            raise FactMissing(f"The trading hours of {label(details.contract)} are unknown.")
        begins = max(view.now, change.spec.good_after or view.now)
        if not _is_open(sessions, begins):
            yield from _closed(change.spec, details, sessions=sessions, now=begins)


def _sessions(spec: OrderSpec, details: ContractDetails) -> tuple[Session, ...]:
    # Before and after hours only priced orders trade; the flag means nothing to the others.
    if spec.outside_rth and spec.limit_price is not None:
        return details.trading_sessions
    return details.liquid_sessions


def _is_open(sessions: tuple[Session, ...], now: datetime) -> bool:
    return any(session.opens <= now < session.closes for session in sessions)


def _closed(
    spec: OrderSpec, details: ContractDetails, *, sessions: tuple[Session, ...], now: datetime
) -> Iterator[Breach]:
    opening = min((s.opens for s in sessions if s.opens > now), default=None)
    if opening is not None and spec.time_in_force is TimeInForce.OPG:
        return  # it is meant for that opening
    when = (
        f"opens {moment(opening, UTC)}" if opening is not None else "has no opening on its calendar"
    )
    hint = f"try again at {moment(opening, UTC)}" if opening is not None else "ibkr-trader doctor"
    if _is_open(details.trading_sessions, now):
        hint = "use --type limit --limit PRICE --outside-rth to trade outside regular hours"
    then = f" at {moment(now, UTC)}" if spec.good_after == now else ""
    yield Breach(
        check="market_hours",
        message=f"{label(spec.contract)} is closed{then}; it {when}.",
        limit=opening.isoformat() if opening is not None else "",
        actual=now.isoformat(),
        hint=hint,
    )
