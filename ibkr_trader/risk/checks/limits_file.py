"""Nothing is opened while the file of the symbols' limits cannot be relied on.

A damaged file, or one that is gone, never means that there are no limits: the last good
ones stay in force, and whoever knows better mends the file first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_HINT = "mend it, or write it again as it was in force: ibkr-trader limits --restore"


def _gauge(view: RiskView) -> Iterator[Gauge]:
    count = len(view.symbol_limits.symbols)
    note = f"{count} symbol{'' if count == 1 else 's'} with limits of their own"
    if view.limits_fault:
        note = "damaged or missing: nothing is opened"
    yield Gauge(check="limits_file", note=note)


@check("limits_file", gauge=_gauge)
def limits_file(_: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings while the limits file is damaged or lost, with every fault in it."""
    for line in view.limits_fault.splitlines():
        yield Breach(check="limits_file", message=f"{line}.", hint=_HINT)
