"""What says that it only closes must not be able to open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.portfolio.contract_exposure import growth
from ibkr_trader.risk.check import check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.wording import number, order_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from ibkr_trader.portfolio.contract_exposure import ContractExposure
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


@check("reduce_only", gauge=rule("reduce_only", "an exit may not turn a position round"))
def reduce_only(proposal: Proposal, _: RiskView) -> Iterator[Breach]:
    """Deny exits, and commands that claim to reduce, that could turn the position round."""
    command = proposal.command
    claims = isinstance(command, SubmitOrders) and command.reduces
    for change in proposal.openings:
        if (claims or change.spec.role.is_protective) and _is_larger(change):
            before, after = proposal.least(change)
            ours = proposal.before[change.spec.contract.con_id].held
            yield from _judge(change, before, after=after, ours=ours)


def _is_larger(change: Change) -> bool:
    """Whether the order is new, or changed to be larger; a keener price is another matter."""
    before = change.before
    return before is None or change.spec.quantity > (before.desired or before.spec).quantity


def _judge(
    change: Change, before: ContractExposure, *, after: ContractExposure, ours: Decimal
) -> Iterator[Breach]:
    spec, sign = change.spec, change.spec.side.sign
    surplus = max(after.surplus(spec.order_id, sign), growth(before, after, sign))
    surplus = min(surplus, spec.quantity)
    if surplus <= 0:
        return  # its quantity means nothing, and `order_form` says so
    others = [
        order.order_id
        for order in before.working
        if order.signed * sign > 0 and order.order_id != spec.order_id
    ]
    room = spec.quantity - surplus
    whose = "" if before.held == ours else f" by the broker's word ({quantity(ours)} by our books)"
    yield Breach(
        check="reduce_only",
        message=(
            f"{order_words(spec)} is meant to close only, but with {quantity(before.held)} held"
            f"{whose} {quantity(surplus)} of it could open a "
            f"{'long' if change.is_buy else 'short'} one."
        ),
        limit=number(max(ZERO, -before.held * sign)),
        actual=number(spec.quantity),
        headroom=number(room),
        hint=_hint(room, others),
    )


def _hint(room: Decimal, working: Sequence[str]) -> str:
    if room >= 1:
        return f"use --quantity {number(room)} or less"
    if working:
        return f"other orders close it already: ibkr-trader cancel {' '.join(working)}"
    return "there is nothing to close: ibkr-trader positions"
