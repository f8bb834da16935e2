"""A machine whose clock is wrong opens nothing: it would judge hours, ages and limits wrongly."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.view import FactMissing
from ibkr_trader.risk.wording import seconds, tenths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "clock_skew"
WARNED = timedelta(seconds=2)  # the broker states whole seconds, and the wire takes its time
_HINT = "set the machine's clock: sudo timedatectl set-ntp true; ibkr-trader doctor"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return how far the clocks are apart."""
    skew = view.clock_skew
    yield Gauge(
        check=_NAME,
        limit=tenths(view.limits.max_clock_skew),
        used=None if skew is None else tenths(abs(skew)),
        unit=Unit.SECONDS,
        note="" if skew is not None else "the broker has not told its time yet",
    )


@check(_NAME, gauge=gauge)
def clock_skew(_: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings while this machine's clock and the broker's are far apart; warn before."""
    skew, most = view.clock_skew, view.limits.max_clock_skew
    if skew is None:
        message = "Nobody knows how far this machine's clock is from the broker's."
        raise FactMissing(message, about=_NAME, hint="ibkr-trader doctor --deep")
    if abs(skew) <= min(WARNED, most):
        return
    way = "ahead of" if skew > timedelta(0) else "behind"
    is_far = abs(skew) > most
    limit = f"; the limit is {seconds(most)}" if is_far else ""
    yield Breach(
        check=_NAME,
        message=f"This machine's clock is {seconds(abs(skew))} {way} the broker's{limit}.",
        limit=seconds(most),
        actual=seconds(abs(skew)),
        hint=_HINT,
        is_warning=not is_far,
    )
