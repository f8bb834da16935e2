"""Two entries that are alternatives do not trade with each other.

An order against any other entry of ours is denied anyway (`one_side`). Those that cancel
each other may be on both sides; but if both could trade at one price, they would: with
each other, before either is cancelled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.pricing import market_price
from ibkr_trader.risk.wording import order_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView

_RESTING = frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED})


@check("opposing", gauge=rule("opposing", "no order may trade with its own alternative"))
def opposing(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening order that could trade with its own alternative.

    Exits are left out: they close what an entry opens.
    """
    for change in proposal.openings:
        mine = change.spec
        reach = _reach(mine, view)
        if reach is None:
            continue
        for theirs in _alternatives(change, proposal, view):
            other = _reach(theirs, view)
            if other is not None and (reach - other) * mine.side.sign >= 0:
                yield _breach(mine, theirs)


def _alternatives(change: Change, proposal: Proposal, view: RiskView) -> Iterator[OrderSpec]:
    """The entries on the other side that the order cancels, or is cancelled by."""
    mine = change.spec
    if not mine.oca_group:
        return
    here = proposal.before[mine.contract.con_id]
    for working in here.working:
        order = view.exposure.orders[working.order_id]
        theirs = order.desired or order.spec
        if _opposes(mine, theirs) and here.is_opener(working.order_id):
            yield theirs
    for rival in proposal.openings:
        if _opposes(mine, rival.spec) and mine.side is Side.SELL:  # each pair once
            yield rival.spec


def _opposes(mine: OrderSpec, theirs: OrderSpec) -> bool:
    return (
        mine.side is not theirs.side
        and mine.oca_group == theirs.oca_group
        and mine.contract.con_id == theirs.contract.con_id
    )


def _reach(spec: OrderSpec, view: RiskView) -> Decimal | None:
    """The price up (or down) to which the order trades now; None if it waits for a trigger."""
    if spec.order_type is OrderType.MARKET:
        return market_price(view, spec.contract, spec.side)
    return spec.limit_price if spec.order_type in _RESTING else None


def _breach(mine: OrderSpec, theirs: OrderSpec) -> Breach:
    verb = "buy from" if mine.side is Side.BUY else "sell to"
    return Breach(
        check="opposing",
        message=(
            f"{order_words(mine)} could {verb} your own order {theirs.order_id} "
            f"({order_words(theirs)})."
        ),
        actual=theirs.order_id,
        hint="set their prices apart: the buy below the sell",
    )
