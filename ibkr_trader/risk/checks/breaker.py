"""Nothing is opened while the broker refuses again and again, or does not answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.breaker import UNKNOWN, refused, trips
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.switch import EVERYTHING
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "breaker"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return the refusals of the desk and of each symbol, and the commands left unanswered."""
    strikes, limits = view.strikes, view.limits
    found = refused(strikes, limits, view.now)
    within = f"refusals within {seconds(limits.reject_window)}"
    yield Gauge(
        check=_NAME,
        subject="refused",
        limit=Decimal(limits.max_rejects),
        used=Decimal(sum(found.values())),
        note=within,
    )
    for symbol, count in found.items():
        most = Decimal(limits.max_rejects_per_symbol)
        yield Gauge(check=_NAME, subject=symbol, limit=most, used=Decimal(count), note=within)
    yield Gauge(
        check=_NAME,
        subject="unanswered",
        limit=Decimal(limits.max_unknown),
        used=Decimal(len(strikes.unanswered)),
        note="commands in a row without an answer",
    )


@check(_NAME, gauge=gauge)
def breaker(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings where refusals or silence have reached their limit.

    The shell halts what this finds until somebody resumes; then that is the one reason.
    """
    if not (view.strikes.refusals or view.strikes.unanswered):
        return
    concerned = {EVERYTHING, *(ticker(contract) for contract in proposal.opened)}
    for trip in trips(view.strikes, view.limits, view.now):
        if trip.symbol not in concerned or trip.symbol in view.switch.held:
            continue
        where = f" in {trip.symbol}" if trip.symbol else ""
        symbol = f" --symbol {trip.symbol}" if trip.symbol else ""
        why = "ibkr-trader orders: see why"
        if trip.origin == UNKNOWN:
            why = f"{WHAT_BECAME_OF_IT}: see what has become of them"
        yield Breach(
            check=_NAME,
            message=f"{trip.reason[0].upper()}{trip.reason[1:]}: nothing more is opened{where}.",
            limit=str(trip.limit),
            actual=str(trip.number),
            hint=f'{why}; then ibkr-trader resume{symbol} --reason "…"',
        )
