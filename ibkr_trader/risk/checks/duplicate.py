"""The same order twice within seconds is one order and a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.wording import order_words, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _words(view: RiskView) -> str:
    return f"the same order again within {seconds(view.limits.duplicate_window)} is a mistake"


@check("duplicate", gauge=rule("duplicate", _words))
def duplicate(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening order with the same terms as one that went out just now.

    One that came to nothing (rejected, cancelled, never sent) may be repeated at once.
    """
    window = view.limits.duplicate_window
    if not proposal.is_new:
        return
    for change in proposal.openings:
        wanted = _terms(change.spec)
        for sent in reversed(view.history.submissions_until(view.now)):
            age = view.now - sent.at
            if age >= window:
                break
            if _terms(sent.spec) == wanted and not _came_to_nothing(sent.spec, view):
                yield Breach(
                    check="duplicate",
                    message=(
                        f"{order_words(change.spec)} repeats order {sent.spec.order_id}, "
                        f"sent {seconds(age)} ago."
                    ),
                    limit=seconds(window),
                    actual=seconds(age),
                    hint=f"if you mean it, wait {seconds(window - age)}",
                )
                break


def _terms(spec: OrderSpec) -> tuple[object, ...]:
    return (
        spec.contract.con_id,
        spec.side,
        spec.quantity,
        spec.order_type,
        spec.limit_price,
        spec.stop_price,
        spec.trail_amount,
        spec.trail_percent,
    )


def _came_to_nothing(spec: OrderSpec, view: RiskView) -> bool:
    order = view.portfolio.order(spec.order_id)
    if order is None or not order.status.is_closed:
        return False
    return not max(order.filled, order.reported_filled)
