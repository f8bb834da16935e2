"""When the desk is halted or reducing, only what lowers risk goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import Breach
from ibkr_trader.risk.check import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_HINTS = {
    TradingState.HALTED: 'ibkr-trader resume --reason "…", once you know why it was halted',
    TradingState.REDUCING: "it ends with its cause: ibkr-trader status",
}


@check("trading_state")
def trading_state(_: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny everything that is asked, unless the state is ACTIVE."""
    if view.trading_state is TradingState.ACTIVE:
        return
    because = f" ({view.state_reason})" if view.state_reason else ""
    yield Breach(
        check="trading_state",
        message=f"Trading is {view.trading_state}{because}: only what lowers risk goes out.",
        limit=TradingState.ACTIVE,
        actual=view.trading_state,
        hint=_HINTS[view.trading_state],
    )
