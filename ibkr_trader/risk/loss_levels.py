"""How near the day's loss is to its limits: of the account, and of each symbol.

One rule for the check that refuses openings and for the watch that halts, so that the two
cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.contracts import label
from ibkr_trader.core.models import ZERO

if TYPE_CHECKING:
    from ibkr_trader.portfolio.pnl import DayPnl
    from ibkr_trader.risk.limits import RiskLimits, SymbolLimitRegistry

ACCOUNT = ""  # as the subject of a loss: everything together


class LossLevel(IntEnum):
    """What follows from a loss; each includes those before it."""

    NONE = 0
    WARNING = 1  # one is told
    REDUCING = 2  # nothing more is opened
    HALTED = 3


class DayLoss(msgspec.Struct, frozen=True, kw_only=True):
    """One loss of the day against its limit; a gain is a loss of zero."""

    symbol: str
    loss: Decimal
    limit: Decimal
    level: LossLevel
    is_whole: bool = True  # False: of what is known; some part of the result is not

    @property
    def share(self) -> Decimal:
        """The part of the limit that is lost."""
        return self.loss / self.limit


def level_of(used: Decimal, limit: Decimal, limits: RiskLimits) -> LossLevel:
    """Return the level that `used` reaches of a limit: of a loss, or of a drawdown."""
    if used >= limit:
        return LossLevel.HALTED
    if used >= limit * limits.loss_reducing:
        return LossLevel.REDUCING
    if used >= limit * limits.loss_warning:
        return LossLevel.WARNING
    return LossLevel.NONE


def day_loss(
    net: Decimal,
    limits: RiskLimits,
    symbol_limits: SymbolLimitRegistry,
    *,
    symbol: str = ACCOUNT,
    is_whole: bool = True,
) -> DayLoss:
    """Return what a result of the day means for a symbol, or for the `ACCOUNT`."""
    limit = limits.max_daily_loss
    if symbol != ACCOUNT:
        limit = symbol_limits.get_limit(symbol, limits).max_daily_loss
    loss = max(ZERO, -net)
    level = level_of(loss, limit, limits)
    return DayLoss(symbol=symbol, loss=loss, limit=limit, level=level, is_whole=is_whole)


def day_losses(
    pnl: DayPnl, limits: RiskLimits, symbol_limits: SymbolLimitRegistry
) -> Iterator[DayLoss]:
    """Yield the account's loss, then each symbol's.

    Where some part is unknown, what is known is judged: it would be no good rule by which one
    contract without a price lifts every limit.
    """
    yield day_loss(pnl.known, limits, symbol_limits, is_whole=pnl.net is not None)
    known = pnl.known_symbols() if pnl.unpriced else {}
    for symbol, net in pnl.symbols().items():
        is_whole = net is not None
        part = net if net is not None else known[symbol]
        yield day_loss(part, limits, symbol_limits, symbol=symbol, is_whole=is_whole)


def unknown_parts(pnl: DayPnl, symbol: str = ACCOUNT) -> str:
    """Return whose result is unknown, and why: of everything, or of one symbol."""
    found = [pnl.contracts[con_id] for con_id in pnl.unpriced]
    return ", ".join(
        f"{label(one.contract)} ({one.note})"
        for one in found
        if symbol in (ACCOUNT, one.contract.symbol)
    )


def below_peak(equity: Decimal, peak: Decimal | None) -> Decimal:
    """Return how far `equity` is below its peak, as a fraction of that; zero before the first."""
    if peak is None or peak <= 0:
        return ZERO
    return max(ZERO, peak - equity) / peak
