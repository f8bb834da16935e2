"""Nothing new goes out while we do not know what is already there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import label
from ibkr_trader.core.errors import WHAT_BECAME_OF_IT
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import Binds, check
from ibkr_trader.risk.gauges import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView


def _words(view: RiskView) -> str:
    if not view.is_synced:
        return "not in sync with the broker: no new orders"
    unknown = sum(
        1 for one in view.exposure.contracts.values() for o in one.working if o.is_unknown
    )
    return f"in sync; {unknown or 'no'} order{'' if unknown == 1 else 's'} of unknown fate"


@check("knowledge", Binds.ALL, gauge=rule("knowledge", _words))
def knowledge(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny new orders out of sync, and openings beside an order of unknown fate.

    A new exit is denied too while out of sync: sized by an old position it could open the
    opposite one. A working stop may still be tightened if nothing else can have cut it: a change
    states a size, and would give back to one of a group what the fills of the others took.
    """
    is_sized = any(change.spec.is_sized_by_others for change in proposal.changes)
    is_blind = proposal.is_new or not proposal.reduces or is_sized
    if is_blind and not view.is_synced:
        yield Breach(
            check="knowledge",
            message="The account is not in sync yet: its orders and positions are unknown.",
            hint="try again in a moment; ibkr-trader status says what is missing",
        )
    for contract in proposal.opened:
        unknown = [o for o in proposal.before[contract.con_id].working if o.is_unknown]
        for order in unknown:
            yield Breach(
                check="knowledge",
                message=(
                    f"Nobody knows whether order {order.order_id} in {label(contract)} was sent: "
                    "until that is settled, nothing is opened there."
                ),
                limit="0",
                actual=str(len(unknown)),
                hint=WHAT_BECAME_OF_IT,
            )
