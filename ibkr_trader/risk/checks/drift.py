"""Nothing is opened where the broker holds something else than our books can explain.

A split, a transfer, a trade that nobody told: what is held is the broker's word then, but the
orders beside it were made for another position, at other prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.events import Breach
from ibkr_trader.portfolio.ledger_fold import subject_of
from ibkr_trader.risk.check import Gauge, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Contract, GroupId
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "drift"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return what differs from the broker's word, and the groups that are wrong because of it."""
    for subject, found in view.portfolio.drift.items():
        yield Gauge(check=_NAME, subject=subject, note=f"{found.ours} here, {found.theirs} there")
    for group_id in view.misled:
        yield Gauge(check=_NAME, subject=group_id, note="its position was restated by the broker")
    if not (view.portfolio.drift or view.misled):
        yield Gauge(check=_NAME, note="our books and the broker's agree")


@check(_NAME, gauge=gauge)
def drift(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny openings in a contract whose position no execution explains."""
    if not (view.portfolio.drift or view.misled):
        return
    for contract in proposal.opened:
        found = view.portfolio.drift.get(subject_of(contract))
        if found is not None:
            yield Breach(
                check=_NAME,
                message=(
                    f"The broker holds {found.theirs} {label(contract)}, our books {found.ours}: "
                    "nothing is opened there until that is explained."
                ),
                limit=found.ours,
                actual=found.theirs,
                hint="ibkr-trader positions; the broker is being asked, try again in 10 s",
            )
        for group_id in view.misled:
            if _is_in(group_id, contract, view):
                yield _restated(group_id, contract)


def _restated(group_id: GroupId, contract: Contract) -> Breach:
    return Breach(
        check=_NAME,
        message=(
            f"The broker has restated the position in {label(contract)} (a split, or a trade that "
            f"nobody told), and the orders of {group_id} are still those of the old one."
        ),
        actual=group_id,
        hint=(
            f"ibkr-trader cancel {group_id}, then protect what is held: ibkr-trader cover; "
            f"or end it: ibkr-trader close {ticker(contract)}"
        ),
    )


def _is_in(group_id: GroupId, contract: Contract, view: RiskView) -> bool:
    book = view.portfolio
    orders = (book.order(order_id) for order_id in book.groups.get(group_id, ()))
    return any(o is not None and o.spec.contract.con_id == contract.con_id for o in orders)
