"""Nothing is opened while its exchange is closed, has just opened, or is about to close.

The sessions are the broker's own, so a half day ends when it really does. An order for an
auction is for that moment: one for the opening waits for it, one for the close is taken for as
long as exchanges take it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderType, TimeInForce
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import moment
from ibkr_trader.core.trading_day import is_extended, is_half_day, session_at, sessions_of
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ibkr_trader.core.models import ContractDetails, OrderSpec, Session
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "market_hours"
_AT_CLOSE = frozenset({OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE})
AUCTION_CUTOFF = timedelta(minutes=10)  # NYSE takes no more for its closing auction; Nasdaq later
_AT_ONCE = timedelta(0)


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return between which moments something may be opened, and where that is now."""
    delay, cutoff = view.limits.entry_delay, view.limits.entry_cutoff
    known = [details.liquid_sessions for details in view.details.values()]
    now = view.exchange_now
    running = [session_at(sessions, now) for sessions in known]
    count = sum(1 for one in running if one and one.opens + delay <= now < one.closes - cutoff)
    note = (
        f"from {seconds(delay)} after the opening to {seconds(cutoff)} before the close; "
        f"{count} of {len(known)} known markets now"
    )
    yield Gauge(check=_NAME, note=note)


@check(_NAME, gauge=gauge)
def market_hours(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings outside the sessions in which they could trade, and near their ends."""
    for change in proposal.openings:
        spec = change.spec
        details = view.contract_details(spec.contract)
        sessions = sessions_of(spec, details)
        if not sessions:
            raise FactMissing(f"The trading hours of {label(details.contract)} are unknown.")
        begins = max(view.exchange_now, spec.good_after or view.exchange_now)
        session = session_at(sessions, begins)
        if session is None:
            yield from _closed(spec, details, sessions=sessions, begins=begins, view=view)
            continue
        if spec.time_in_force is not TimeInForce.OPG:
            yield from _edges(spec, session, sessions, begins=begins, view=view)
        if is_half_day(session, sessions):
            yield _early(spec, session, view)


def _delay(spec: OrderSpec, view: RiskView) -> timedelta:
    """How long after the opening it may go out: no auction, no pre-market has such a rush."""
    is_exempt = is_extended(spec) or spec.order_type in _AT_CLOSE
    return _AT_ONCE if is_exempt else view.limits.entry_delay


def _edges(
    spec: OrderSpec,
    session: Session,
    sessions: tuple[Session, ...],
    *,
    begins: datetime,
    view: RiskView,
) -> Iterator[Breach]:
    """Say what is wrong with beginning at `begins`, within `session`."""
    first = session.opens + _delay(spec, view)
    is_auction = spec.order_type in _AT_CLOSE
    cutoff = AUCTION_CUTOFF if is_auction else view.limits.entry_cutoff
    last = session.closes - cutoff
    if first <= begins < last:
        return
    name, then = label(spec.contract), _then(spec, begins, view)
    if begins < first:
        yield _breach(
            f"{name} opened at {_clock(session.opens, view)}; nothing is opened in the first "
            f"{seconds(first - session.opens)}{then}.",
            limit=first,
            begins=begins,
            hint=f"try again at {moment(first, view.zone)}",
        )
    if begins >= last:
        what = "orders for its closing auction are taken" if is_auction else "openings go out"
        again = _opening(sessions, begins)
        yield _breach(
            f"{name} closes at {_clock(session.closes, view)}; "
            f"{what} until {_clock(last, view)}{then}.",
            limit=last,
            begins=begins,
            hint=_again(again, spec, view) if again is not None else "closing goes on as usual",
        )


def _closed(
    spec: OrderSpec,
    details: ContractDetails,
    *,
    sessions: tuple[Session, ...],
    begins: datetime,
    view: RiskView,
) -> Iterator[Breach]:
    opening = _opening(sessions, begins)
    if opening is not None and spec.time_in_force is TimeInForce.OPG:
        return  # it is meant for that opening
    when = (
        f"opens {moment(opening, view.zone)}"
        if opening is not None
        else "has no opening on its calendar"
    )
    hint = _again(opening, spec, view) if opening is not None else "ibkr-trader doctor"
    if session_at(details.trading_sessions, begins) is not None:
        hint = f"{_lacking(spec)} to trade outside regular hours"
    yield Breach(
        check=_NAME,
        message=f"{label(spec.contract)} is closed{_then(spec, begins, view)}; it {when}.",
        limit=opening.isoformat() if opening is not None else "",
        actual=begins.isoformat(),
        hint=hint,
    )


def _lacking(spec: OrderSpec) -> str:
    """What a command must still be given: each of them has its own way to name a limit price."""
    if spec.limit_price is not None:
        return "add --outside-rth"
    return "give it a limit price" + ("" if spec.outside_rth else " and --outside-rth")


def _early(spec: OrderSpec, session: Session, view: RiskView) -> Breach:
    closes = session.closes
    return Breach(
        check=_NAME,
        message=f"{label(spec.contract)} closes early: at {moment(closes, view.zone)}.",
        limit=closes.isoformat(),
        hint=f"openings end {seconds(view.limits.entry_cutoff)} before",
        is_warning=True,
    )


def _breach(message: str, *, limit: datetime, begins: datetime, hint: str) -> Breach:
    return Breach(
        check=_NAME,
        message=message,
        limit=limit.isoformat(),
        actual=begins.isoformat(),
        hint=hint,
    )


def _opening(sessions: tuple[Session, ...], at: datetime) -> datetime | None:
    return min((s.opens for s in sessions if s.opens > at), default=None)


def _again(opening: datetime, spec: OrderSpec, view: RiskView) -> str:
    return f"try again at {moment(opening + _delay(spec, view), view.zone)}"


def _then(spec: OrderSpec, begins: datetime, view: RiskView) -> str:
    return f" at {moment(begins, view.zone)}" if spec.good_after == begins else ""


def _clock(at: datetime, view: RiskView) -> str:
    return moment(at, view.zone, with_date=False)
