"""Long and short of one contract do not mix: first out of one, then into the other.

An order that turns a position round, or opens against one or against an entry that still
works, leaves exits behind that protect nothing any more, and a stop without a position is
an entry. So does an entry that would only reduce what is held: it brings exits of its own.
Entries that cancel each other are alternatives, so they may be on both sides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.contracts import label, ticker
from ibkr_trader.core.events import Breach
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.risk.check import check
from ibkr_trader.risk.gauges import rule
from ibkr_trader.risk.wording import number, order_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.models import OrderSpec
    from ibkr_trader.risk.proposal import Change, Proposal
    from ibkr_trader.risk.view import RiskView


@check("one_side", gauge=rule("one_side", "long and short of one contract do not mix"))
def one_side(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny an opening order against the position, or against another entry, of its contract."""
    command = proposal.command
    if isinstance(command, SubmitOrders) and command.reduces:
        return  # what may open all the same is for `reduce_only` to say
    for change in proposal.openings:
        if not change.spec.role.is_protective:
            yield from _against_position(change, proposal)
            yield from _against_entries(change, proposal, view)


def _against_position(change: Change, proposal: Proposal) -> Iterator[Breach]:
    spec = change.spec
    held = proposal.before[spec.contract.con_id].held
    if held * spec.side.sign >= ZERO:
        return
    yield Breach(
        check="one_side",
        message=(
            f"{order_words(spec)} would go against the {'long' if held > 0 else 'short'} "
            f"position of {quantity(abs(held))}: long and short of {label(spec.contract)} "
            "do not mix."
        ),
        limit="0",
        actual=number(held),
        hint=f"close it first: ibkr-trader close {ticker(spec.contract)}",
    )


def _against_entries(change: Change, proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    mine = change.spec
    here = proposal.before[mine.contract.con_id]
    for working in here.working:
        other = view.exposure.orders[working.order_id]
        if _excludes(mine, other.spec) and here.is_opener(working.order_id):
            hint = "use TWS, or the program that placed it"
            if not other.is_foreign:
                hint = f"ibkr-trader cancel {other.order_id}"
            yield _mixed(mine, other.spec, hint=hint)
    for rival in proposal.openings:
        if _excludes(mine, rival.spec) and mine.side.sign < 0 and not rival.spec.role.is_protective:
            hint = "make them cancel each other: ibkr-trader oco-order"
            yield _mixed(mine, rival.spec, hint=hint)


def _excludes(mine: OrderSpec, theirs: OrderSpec) -> bool:
    """Whether the two are on both sides of one contract, and nothing makes them alternatives."""
    are_alternatives = bool(mine.oca_group) and mine.oca_group == theirs.oca_group
    return (
        mine.contract.con_id == theirs.contract.con_id
        and mine.side is not theirs.side
        and not are_alternatives
    )


def _mixed(mine: OrderSpec, theirs: OrderSpec, *, hint: str) -> Breach:
    return Breach(
        check="one_side",
        message=(
            f"{order_words(mine)} opens against your own entry {theirs.order_id} "
            f"({order_words(theirs)}): long and short of {label(mine.contract)} do not mix."
        ),
        actual=theirs.order_id,
        hint=hint,
    )
