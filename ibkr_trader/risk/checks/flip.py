"""No order turns a position round while its exits still work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import check
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import Order
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


@check("flip")
def flip(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an order against a position beside whose working exits it could do more than close.

    The exits would outlive what they protect: a stop without a position is an entry.
    """
    for change in proposal.openings:
        position = view.portfolio.positions.get(change.spec.contract.con_id)
        if position is None or position.quantity * change.spec.side.sign >= 0:
            continue
        exits = [o for o in view.portfolio.orders.values() if _is_exit(o, change)]
        if exits:
            yield Breach(
                check="flip",
                message=(
                    f"{order_words(change.spec)} could turn the position of {position.quantity:f} "
                    f"round while its exit {exits[0].order_id} still works."
                ),
                actual=exits[0].order_id,
                hint=f"ibkr-trader close {ticker(change.spec.contract)}",
            )


def _is_exit(order: Order, change: Change) -> bool:
    spec = order.spec
    return (
        spec.contract.con_id == change.spec.contract.con_id
        and spec.side is change.spec.side
        and spec.role.is_protective
        and order.order_id != change.spec.order_id
        and spec.group_id != change.spec.group_id
    )
