"""How many contracts may be held at the same time, those on their way included."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _is_open(view: RiskView, con_id: int) -> bool:
    """Whether a contract is held, or would be if some of its working orders filled."""
    known = view.exposure.contracts.get(con_id)
    return known is not None and known.most > 0


def _count(view: RiskView) -> int:
    return sum(1 for one in view.exposure.contracts.values() if one.most > 0)


def _gauge(view: RiskView) -> Iterator[Gauge]:
    yield Gauge(
        check="open_positions",
        limit=Decimal(view.limits.max_open_positions),
        used=Decimal(_count(view)),
    )


@check("open_positions", gauge=_gauge)
def open_positions(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny opening one contract more than may be held; adding to one that is held is none more."""
    fresh = [one for one in proposal.opened if not _is_open(view, one.con_id)]
    if not fresh:
        return
    known, most = _count(view), view.limits.max_open_positions
    count = known + len(fresh)
    if count > most:
        names = ", ".join(label(contract) for contract in fresh)
        yield Breach(
            check="open_positions",
            message=(
                f"{names} would make {count} open positions, those on their way included; "
                f"the limit is {most}."
            ),
            limit=str(most),
            actual=str(count),
            headroom=str(max(0, most - known)),
            hint="close one first, or cancel an entry: ibkr-trader positions",
        )
