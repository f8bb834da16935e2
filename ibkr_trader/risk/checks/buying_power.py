"""Whether the account can pay for everything that works, with something to spare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import money, percent
from ibkr_trader.risk.check import Gauge, Unit, check
from ibkr_trader.risk.pricing import now_at_worst, worst_case
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _limit(view: RiskView) -> Decimal:
    return max(ZERO, view.account_value("available_funds") * view.limits.max_funds_used)


def _gauge(view: RiskView) -> Iterator[Gauge]:
    yield Gauge(
        check="buying_power",
        limit=_limit(view),
        used=now_at_worst(view).tied,
        unit=Unit.MONEY,
        note="what working orders may tie up",
    )


@check("buying_power", gauge=_gauge)
def buying_power(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings that could tie up more than the allowed part of the available funds.

    Orders count at full value, without margin: what the broker lends is not counted on.
    """
    if not proposal.openings:
        return
    funds, limit = view.account_value("available_funds"), _limit(view)
    tied = worst_case(proposal, view).tied
    if tied > limit:
        yield Breach(
            check="buying_power",
            message=(
                f"Working orders would tie up {money(tied)}; the limit is {money(limit)} "
                f"({percent(view.limits.max_funds_used)} of the available {money(funds)})."
            ),
            limit=number(limit),
            actual=number(tied),
            headroom=number(max(ZERO, limit - view.exposure.tied)),
            hint="use a smaller --quantity, or close or cancel something first",
        )
