"""How many day trades a small margin account has left: opening needs one to get out again.

TWS states the figure for margin accounts under US rules (-1: as many as one likes); where it
states none, there is nothing to say. Closing is never denied: it may use the last one up,
and it is told that it would.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.events import Breach
from ibkr_trader.core.text import money
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.risk.check import Binds, Gauge, check
from ibkr_trader.risk.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Contract
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

FREE_FROM = Decimal(25_000)  # FINRA's bound, in dollars: an account worth as much has no limit


def days_left(view: RiskView) -> Decimal | None:
    """Return how many day trades are left; None if they are not limited, or nobody says so."""
    values = view.portfolio.values
    if values is None or values.day_trades_left is None or values.net_liquidation is None:
        return None
    is_free = values.day_trades_left < 0 or values.net_liquidation >= FREE_FROM
    return None if is_free else values.day_trades_left


def _gauge(view: RiskView) -> Iterator[Gauge]:
    left = days_left(view)
    note = "not limited, or not stated" if left is None else f"{number(left)} left"
    yield Gauge(check="day_trades", note=f"{note} (below {money(FREE_FROM)} of net liquidation)")


@check("day_trades", Binds.ALL_IF_KNOWN, gauge=_gauge)
def day_trades(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings when no day trade is left to close them today; warn at the last."""
    left = days_left(view)
    if left is None or left > 1 or not proposal.is_new:
        return
    if proposal.openings:
        yield from _opening(left)
        return
    if left < 1:
        for contract in _ended(proposal):
            if _has_traded(contract, view):
                yield Breach(
                    check="day_trades",
                    message=f"Closing {label(contract)} today is a day trade, and none is left.",
                    limit="0",
                    hint="IBKR may restrict the account for it: closing tomorrow is none",
                    is_warning=True,
                )


def _opening(left: Decimal) -> Iterator[Breach]:
    if left >= 1:
        yield Breach(
            check="day_trades",
            message="This account has one day trade left: closing today what is opened uses it.",
            actual=number(left),
            is_warning=True,
        )
        return
    yield Breach(
        check="day_trades",
        message="This account has no day trade left: what is opened could not be closed today.",
        limit="1",
        actual=number(left),
        hint=f"wait until TWS counts one again; from {money(FREE_FROM)} there is no limit",
    )


def _ended(proposal: Proposal) -> tuple[Contract, ...]:
    found = (change.spec.contract for change in proposal.changes)
    return tuple({contract.con_id: contract for contract in found}.values())


def _has_traded(contract: Contract, view: RiskView) -> bool:
    """Whether anything of it was traded today, so that a close may make a day trade of it."""
    book = view.portfolio.books.get(contract.con_id)
    begins = day_start(view.now, view.zone)
    return book is not None and book.newest is not None and book.newest[0] >= begins
