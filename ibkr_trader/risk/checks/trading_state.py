"""What is halted, or only reducing, takes nothing but what lowers risk: the desk, or a symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.contracts import ticker
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import Breach, StateEvent
from ibkr_trader.core.text import moment
from ibkr_trader.risk.check import Gauge, check
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from ibkr_trader.risk.proposal import Proposal
    from ibkr_trader.risk.view import RiskView

_NAME = "trading_state"
_BY_ITSELF = "it ends with its cause: ibkr-trader status"


def gauge(view: RiskView) -> Iterator[Gauge]:
    """Return how the desk stands, and each symbol that has a halt of its own."""
    reason = f": {view.state_reason}" if view.state_reason else ""
    yield Gauge(check=_NAME, note=f"{view.trading_state}{reason}")
    for symbol, event in view.switch.held.items():
        if symbol != EVERYTHING:
            yield Gauge(check=_NAME, subject=symbol, note=f"{event.state}: {event.reason}")


@check(_NAME, gauge=gauge)
def trading_state(proposal: Proposal, view: RiskView) -> Iterator[Breach]:
    """Deny everything that is asked, unless desk and symbols are ACTIVE."""
    if view.trading_state is not TradingState.ACTIVE and not view.state_check:
        yield _of_the_desk(view)
    contracts = {one.spec.contract.con_id: one.spec.contract for one in proposal.changes}
    for contract in contracts.values():
        if (event := view.switch.of(contract)) is not None:
            yield Breach(
                check=_NAME,
                message=(
                    f"{ticker(contract)} is {_words(event, view.zone)}: "
                    "only what lowers risk goes out."
                ),
                limit=TradingState.ACTIVE,
                actual=f"{event.symbol} {event.state}",
                hint=f'ibkr-trader resume --symbol {event.symbol} --reason "…", once you know why',
            )


def _of_the_desk(view: RiskView) -> Breach:
    held, because = view.switch.everything, f" ({view.state_reason})" if view.state_reason else ""
    words, hint = f"{view.trading_state}{because}", _BY_ITSELF
    if held is not None and (held.state, held.reason) == (view.trading_state, view.state_reason):
        words = _words(held, view.zone)
    if held is not None or view.trading_state is TradingState.HALTED:
        hint = 'ibkr-trader resume --reason "…", once you know why it was halted'
    return Breach(
        check=_NAME,
        message=f"Trading is {words}: only what lowers risk goes out.",
        limit=TradingState.ACTIVE,
        actual=view.trading_state,
        hint=hint,
    )


def _words(event: StateEvent, zone: tzinfo) -> str:
    """The state with its reason, since when, and who decided it."""
    who = f", by {event.origin}" if event.origin else ""
    return f"{event.state} ({event.reason}; since {moment(event.at, zone)}{who})"
