"""How often something may be opened: the guard against a machine gone wild."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.wording import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.limits import RiskLimits
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _windows(limits: RiskLimits) -> tuple[tuple[timedelta, str, int], ...]:
    return (
        (timedelta(seconds=1), "second", limits.max_openings_per_second),
        (timedelta(minutes=1), "minute", limits.max_openings_per_minute),
        (timedelta(days=1), "day", limits.max_openings_per_day),
    )


def _gauge(view: RiskView) -> Iterator[Gauge]:
    for window, word, most in _windows(view.limits):
        yield Gauge(
            check="order_rate",
            subject=f"a {word}",
            limit=Decimal(most),
            used=Decimal(len(view.history.openings_within(window, view.now))),
            note="opening commands",
        )


@check("order_rate", gauge=_gauge)
def order_rate(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening command beyond the number that any second, minute or day may have."""
    if view.is_preview or not (proposal.is_new and proposal.openings):
        return  # a preview sends nothing, and by the time that it is sent may have passed
    for window, word, most in _windows(view.limits):
        yield from _judge(view, window, word, most=most)


def _judge(view: RiskView, window: timedelta, word: str, *, most: int) -> Iterator[Breach]:
    within = view.history.openings_within(window, view.now)
    count = len(within)
    if count < most:
        return
    # One goes out as soon as the oldest of the last `most` leaves the window.
    wait = view.history.openings[within.stop - most] + window - view.now
    yield Breach(
        check="order_rate",
        message=(
            f"{count} opening command{'' if count == 1 else 's'} went out in the last {word}; "
            f"the limit is {most}."
        ),
        limit=str(most),
        actual=str(count + 1),
        headroom="0",
        hint=(
            f"try again in {seconds(wait)}, or set [risk] max_openings_per_{word} in config.toml"
        ),
    )
