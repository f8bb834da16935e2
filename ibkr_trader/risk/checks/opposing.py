"""No order of ours trades with another of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import check
from ibkr_trader.risk.pricing import market_price
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import Order, OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView

_RESTING = frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED})


@check("opposing")
def opposing(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening order that could trade with a working opening order of ours.

    Exits are left out: they close what the new order would add to. So are the members of
    one group, which are alternatives.
    """
    for change in proposal.openings:
        con_id = change.spec.contract.con_id
        reach = _reach(change.spec, view)
        if reach is None:
            continue
        here = proposal.before[con_id]
        for working in here.working:
            other = view.portfolio.orders[working.order_id]
            if _opposes(change, other):
                theirs = _reach(other.desired or other.spec, view)
                meets = theirs is not None and (reach - theirs) * change.spec.side.sign >= 0
                if meets and here.is_opener(working.order_id):
                    yield _breach(change, other)


def _opposes(change: Change, other: Order) -> bool:
    mine, theirs = change.spec, other.spec
    return mine.side is not theirs.side and mine.group_id != theirs.group_id


def _reach(spec: OrderSpec, view: RiskView) -> Decimal | None:
    """The price up (or down) to which the order trades now; None if it waits for a trigger."""
    if spec.order_type is OrderType.MARKET:
        return market_price(view, spec.contract, spec.side)
    return spec.limit_price if spec.order_type in _RESTING else None


def _breach(change: Change, other: Order) -> Breach:
    verb = "buy from" if change.spec.side is Side.BUY else "sell to"
    return Breach(
        check="opposing",
        message=(
            f"{order_words(change.spec)} could {verb} your own order {other.order_id} "
            f"({order_words(other.spec)})."
        ),
        actual=other.order_id,
        hint=f"ibkr-trader cancel {other.order_id}",
    )
