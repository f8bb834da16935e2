"""Whether a market is open now: by the exchange's time, whatever this machine's clock says.

The machine's clock can be set, and may be wrong. How far it is ahead of the broker's is known
between two looks at that too (`skew_watch.py`), so what is left after taking it off moves with
the monotonic clock alone. While nobody has told the broker's time, the machine's counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core.trading_day import session_at

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import ContractDetails
    from ibkr_trader.execution.trader import Trader


def exchange_now(trader: Trader) -> datetime:
    """Return the exchange's time now, aware and in UTC."""
    return trader.outlook.exchange_now


def is_trading(details: ContractDetails | None, at: datetime, *, is_awake: bool = False) -> bool:
    """Whether a contract's exchange is open at a moment of its own time; unknown is open.

    Args:
        details: What the broker says of the contract; None if nobody has asked.
        at: The exchange's time.
        is_awake: Hours before and after the regular ones count, too.
    """
    if details is None:
        return True
    sessions = details.trading_sessions if is_awake else details.liquid_sessions
    return not sessions or session_at(sessions, at) is not None
